"""Examples of the document into an example of a method: parameters, answer and result that belong together."""

from typing import Any

import msgspec

from services.integrations.importing.answers import Answers
from services.integrations.importing.bodies import TypedBody
from services.integrations.importing.documents import Source, Unresolved, members
from services.integrations.importing.parameters import BODY, Parameters

_MOST_BYTES = 8_192
_NONE: Any = msgspec.UNSET


def example_of(parameters: Parameters, body: TypedBody | None, answers: Answers) -> dict[str, Any] | None:
    """One example, where the document has all that it needs."""
    answer, source = answers.first, parameters.translator.source
    if answer is None:
        return None
    names = list(members(answer.media.get("examples")))
    result = _value(source, answer.media, names)
    if result is _NONE or len(msgspec.json.encode(result)) > _MOST_BYTES:
        return None
    params = _params(source, parameters, body, names)
    if params is None:
        return None
    response = {"status": answer.status, "body": result}
    return {"params": params, "response": response, "result": result}


def _params(source: Source, parameters: Parameters, body: TypedBody | None, names: list[str]) -> dict[str, Any] | None:
    """What is required, from the document's examples; None where one has none."""
    found: dict[str, Any] = {}
    for name in parameters.required:
        if name == BODY:
            value = _NONE if body is None else _value(source, body.media, names)
        else:
            value = _value(source, parameters.raw.get(name, {}), names)
        if value is _NONE:
            return None
        found[name] = value
    return found if len(msgspec.json.encode(found)) <= _MOST_BYTES else None


def _value(source: Source, holder: dict[str, Any], names: list[str]) -> Any:
    """`example`, the one of `examples` that is called as the answer's first, or the schema's own."""
    if "example" in holder:
        return holder["example"]
    examples = members(holder.get("examples"))
    try:
        if examples:
            name = next((name for name in names if name in examples), next(iter(examples)))
            return source.resolved(examples[name]).get("value", _NONE)
        schema = source.resolved(holder.get("schema"))
    except Unresolved:
        return _NONE
    if isinstance(schema.get("examples"), list) and schema["examples"]:
        return schema["examples"][0]
    return schema.get("example", _NONE)
