"""One operation of a description into one method."""

import re
from typing import Any, NamedTuple

import msgspec

from services.integrations.definitions.model import Method
from services.integrations.importing.answers import Answers
from services.integrations.importing.bodies import take_body
from services.integrations.importing.bundles import Bundler
from services.integrations.importing.documents import Numbered, listed, members
from services.integrations.importing.examples import example_of
from services.integrations.importing.parameters import Parameters, parameters_of
from services.integrations.importing.reports import LeftOut, Notes
from services.integrations.importing.schemas import Translated

_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")
_VERBS = ("get", "head", "post", "put", "patch", "delete")
_IDEMPOTENCY = {"get": "safe", "head": "safe", "put": "idempotent", "delete": "idempotent"}
_EFFECTS = {"get": "read", "head": "read", "delete": "delete"}
_LONGEST_NAME = 120
#: What is looked at of a text, of which less is kept.
LONGEST_TEXT = 20_000


class Described(NamedTuple):
    """An operation where it stands in the document."""

    verb: str
    path: str
    item: dict[str, Any]
    operation: dict[str, Any]

    @property
    def label(self) -> str:
        return f"{self.verb.upper()} {self.path}".strip()

    @property
    def tags(self) -> list[str]:
        return [tag for tag in listed(self.operation.get("tags")) if isinstance(tag, str)]

    @property
    def servers(self) -> Any:
        """The servers of the operation, or of its path; None where it has those of the document."""
        return self.operation.get("servers") or self.item.get("servers") or None

    @property
    def named(self) -> str | None:
        found = self.operation.get("operationId")
        return found if isinstance(found, str) and found.strip() else None


class Names:
    """Names of methods, each once."""

    def __init__(self) -> None:
        self._given = Numbered()

    def name(self, described: Described) -> str:
        place = f"{described.verb}.{described.path.strip('/') or 'root'}"
        wanted = next(filter(None, map(_fitting, (described.named or "", place))), described.verb)
        return self._given.free(wanted if re.match(r"[A-Za-z_]", wanted) else f"_{wanted}")


def _fitting(text: str) -> str:
    return _UNFIT.sub(".", text).strip(".-")[:_LONGEST_NAME]


def method_of(described: Described, prefix: str, name: str, bundler: Bundler, notes: Notes) -> Method:
    """The method. Raises LeftOut where there can be none."""
    verb, operation = described.verb, described.operation
    if verb not in _VERBS:
        raise LeftOut("", operation.get("reason") or f"is {verb.upper()}, which a method does not make")
    if not operation:
        raise LeftOut("", "is no object")
    parameters = Parameters(bundler.translator, notes)
    path = parameters.constant(prefix + described.path)
    parameters.take(path, parameters_of(bundler.translator.source, described.item, operation, notes))
    body = take_body(operation.get("requestBody"), verb, parameters, notes)
    answers = Answers(operation.get("responses"), parameters, notes)
    made = {
        "name": name,
        "description": _description(operation),
        "sideEffect": _EFFECTS.get(verb, "write"),
        "paramSchema": _param_schema(parameters, bundler, notes),
        "resultSchema": answers.schema(bundler),
        "request": {
            "method": verb.upper(),
            "path": parameters.path,
            "query": parameters.query or None,
            "headers": parameters.headers or None,
            "body": None if body is None else body.body,
        },
        "pagination": answers.pagination() if verb == "get" else None,
        "examples": _examples(example_of(parameters, body, answers)),
        **_repetition(verb, parameters),
    }
    try:
        return msgspec.convert(made, Method)
    except msgspec.ValidationError as error:
        raise LeftOut("", str(error)) from None


def _param_schema(parameters: Parameters, bundler: Bundler, notes: Notes) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": parameters.properties}
    if parameters.required:
        schema["required"] = list(dict.fromkeys(parameters.required))
    schema["additionalProperties"] = False
    size = len(msgspec.json.encode(schema))
    whole = Translated(schema, tuple(parameters.uses), size, False)
    made = bundler.bundled(whole, "request", "parameters", notes)
    # Too large to be said: the names are kept, because the templates use them.
    return made or schema | {"properties": {key: {} for key in parameters.properties}}


def _repetition(verb: str, parameters: Parameters) -> dict[str, Any]:
    header = next((name for name in parameters.headers if name.lower() == "idempotency-key"), None)
    if header is None or verb in _IDEMPOTENCY:
        return {"idempotency": _IDEMPOTENCY.get(verb, "none")}
    return {"idempotency": "key", "idempotencyHeader": header}


def _description(operation: dict[str, Any]) -> str | None:
    told = [operation.get("summary"), operation.get("description")]
    text = "\n\n".join(dict.fromkeys(each.strip() for each in told if isinstance(each, str) and each.strip()))
    return printable(text[:LONGEST_TEXT])[:2_000] or None


def _examples(found: dict[str, Any] | None) -> list[dict[str, Any]] | None:
    return None if found is None else [found]


def printable(text: str) -> str:
    """Without control characters and lone surrogates."""
    return "".join(char for char in text if char in "\n\t" or (char >= " " and not "\x7f" <= char <= "\x9f"
        and not "\ud800" <= char <= "\udfff"))  # fmt: skip


__all__ = ["LONGEST_TEXT", "Described", "Names", "members", "method_of", "printable"]
