"""Examples, played offline: parameters are checked, the request is built, the recorded answer is read as a real one."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec
from multidict import CIMultiDict, CIMultiDictProxy

from app.egress import Answer
from app.errors import DomainError
from services.integrations.definitions.compiling import Compiled, CompiledMethod, compile_definition
from services.integrations.definitions.model import Definition, Example
from services.integrations.execution.calls import Run, Trace
from services.integrations.execution.redaction import Redaction
from services.integrations.execution.requests import build_request
from services.integrations.execution.results import read_answer, result_of
from services.integrations.execution.targets import Target, checked_parameters
from services.integrations.instances.status import effective_config
from services.integrations.reviewing.rehearsing_webhooks import rehearse_challenges, rehearse_webhooks
from services.integrations.reviewing.reports import Rehearsal

_SAMPLES: Mapping[str, Any] = {
    "string": "sample",
    "integer": 1,
    "number": 1,
    "boolean": True,
    "array": [],
    "object": {},
}
_ELSEWHERE = "https://upstream.example"


class _NoCredentials:
    """What reading an answer needs of a call's credentials: an example holds no secrets."""

    redaction = Redaction()


def rehearse(definition: Definition) -> list[Rehearsal]:
    """Every example of every method and of every event, in order. The definition has passed its check."""
    compiled = compile_definition(definition)
    config = sample_config(definition)
    return [*_rehearsed(compiled, config), *_received(compiled)]


def _received(compiled: Compiled) -> Iterator[Rehearsal]:
    if compiled.webhook is None:
        return
    for event, number, signature, fault in rehearse_webhooks(compiled.webhook):
        yield Rehearsal(f"webhook {event.name}", number, f"POST, signed {signature.scheme}", None, fault)
    for challenge, number, fault in rehearse_challenges(compiled.webhook):
        yield Rehearsal("webhook challenge", number, f"{challenge.method}, proof {challenge.proof}", None, fault)


def _rehearsed(compiled: Compiled, config: Mapping[str, Any]) -> Iterator[Rehearsal]:
    target = Target({"id": UUID(int=0), "config": None}, compiled, config)
    for method in compiled.methods.values():
        for number, example in enumerate(method.method.examples or ()):
            yield _played(target, method, number, example)


def _played(target: Target, method: CompiledMethod, number: int, example: Example) -> Rehearsal:
    line, name = None, method.method.name
    try:
        params = checked_parameters(method, example.params)
        request = build_request(method, target.base, params, target.config, ())
        line = f"{request.method} {request.url}"
        code, fault = _answered(target, method, example)
    except DomainError as error:
        return Rehearsal(name, number, line, None, f"{error.code}: {error.message}")
    return Rehearsal(name, number, line, code, fault)


def _answered(target: Target, method: CompiledMethod, example: Example) -> tuple[str | None, str | None]:
    """The code of the error that the answer is, and what is wrong with that."""
    given: dict[str, Any] = {
        "context": None, "target": target, "method": method, "credentials": _NoCredentials(), "deadline": 0,
        "timeout_ms": 0, "key": "", "trace": Trace(),
    }  # fmt: skip
    run = Run(**given)
    failing = example.response.status >= 400
    try:
        made = result_of(run, read_answer(run, _answer(example)))
    except DomainError as error:
        return error.code, None if failing else f"{error.code}: {error.message}"
    if failing:
        return None, f"status {example.response.status} is taken for success"
    if example.result is not msgspec.UNSET and made != example.result:
        return None, f"the result is {_short(made)}, and not {_short(example.result)}"
    return None, None


def _answer(example: Example) -> Answer:
    given = example.response
    empty = given.body is None
    headers = CIMultiDict(given.headers or {})
    headers.setdefault("Content-Type", "application/json")
    body = b"" if empty else msgspec.json.encode(given.body)
    return Answer(given.status, CIMultiDictProxy(headers), body, _ELSEWHERE)


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 120 else f"{text[:120]}…"


def sample_config(definition: Definition) -> dict[str, Any]:
    """A configuration to build requests with: defaults, and a sample of each value that is required."""
    schema = definition.config_schema or {}
    properties = schema.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    given = {name: _sample(name, known.get(name)) for name in schema.get("required", ())}
    filled = effective_config(definition, {name: value for name, value in given.items() if value is not None})
    if definition.base_url is None:
        filled.setdefault("baseUrl", _ELSEWHERE)
    return filled


def _sample(name: str, schema: Any) -> Any:
    given = schema if isinstance(schema, Mapping) else {}
    if "default" in given:
        return None
    if name == "baseUrl":
        return _ELSEWHERE
    if isinstance(given.get("enum"), list) and given["enum"]:
        return given["enum"][0]
    return _SAMPLES.get(str(given.get("type")), "sample")
