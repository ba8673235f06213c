"""The HTTP request of a call, from the method's templates, the parameters and the configuration."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from app.errors import ExecutionFailed, ValidationFailed
from services.integrations.definitions.compiling import CompiledMethod
from services.integrations.definitions.model import CONFIG
from services.integrations.definitions.templates import may_be_absent, rest_of, variables_of
from services.integrations.execution.encodings import encode_body

_IN_QUERY = "%!$'()*,/:;?@"
_REPEATED = re.compile(r"\{([A-Za-z0-9_.]+)\*\}")
_VARIABLE = re.compile(r"\{([^{}*:]+)(?:[*:][^{}]*)?\}")
_PARTS = re.compile(r"(\{[^{}]*\})")
_MOST_DECODED = 3
_HEADER_TEXT = re.compile(r"[\t -~]*")


class Prepared(NamedTuple):
    """A request before its credentials are put in."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


class Extra(NamedTuple):
    """A query parameter or parameter of the method that pagination sets."""

    name: str
    value: str | int


def build_request(
    method: CompiledMethod, base: str, params: Mapping[str, Any], config: Mapping[str, Any], extras: tuple[Extra, ...]
) -> Prepared:
    """Raises ValidationFailed where a parameter cannot stand where it is to, ExecutionFailed where a template cannot
    be applied."""
    known = set((method.method.param_schema or {}).get("properties") or ())
    given = dict(params) | {extra.name: extra.value for extra in extras if extra.name in known}
    source = _Source(given, config)
    request = method.method.request
    path = "" if method.path is None else _path(method.path, method.method.verb, source)
    pairs = [*_query(method, source), *(_pair(e.name, str(e.value)) for e in extras if e.name not in known)]
    headers = {"Accept": "application/json"}
    headers |= _headers(method, source)
    body: bytes | None = None
    if request is not None and request.body is not None:
        value = _template(method.body, given, config)
        if value is not None or method.body is None:
            content, body = encode_body(request.body, value)
            # A method may say more than JSON: application/merge-patch+json.
            headers.setdefault("Content-Type", content)
    query = "&".join(pairs)
    return Prepared(method.method.verb, f"{base}{path}{'?' if query else ''}{query}", headers, body)


class _Source:
    """Values of variables by their dotted names; what is not there is None."""

    def __init__(self, params: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        self._params, self._config = params, config

    def find(self, name: str) -> Any:
        head, _, rest = name.partition(".")
        at: Any = self._config if head == CONFIG else self._params
        for part in (rest if head == CONFIG else name).split("."):
            at = at.get(part) if isinstance(at, Mapping) else None
        return at

    def expanded(self, names: Any) -> dict[str, Any]:
        return {name: _texts(value) for name in names if (value := self.find(name)) is not None}


def _texts(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _text(inner) for name, inner in value.items() if inner is not None}
    return [_text(inner) for inner in value] if isinstance(value, list) else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list):
        raise ValidationFailed({"parameters": "a value within a list or an object of a path or query must be plain"})
    return str(value)


def _path(template: Any, verb: str, source: _Source) -> str:
    names, text = list(template.variable_names), str(template.uri)
    values, absent = source.expanded(names), may_be_absent(text, verb)
    for name in names:
        if values.get(name) in (None, "", [], {}) and (name in values or name not in absent):
            raise ValidationFailed({f"parameters.{name}": "stands in the path and must not be empty"})
    for name in rest_of(text).keys() & values.keys():
        values[name] = _rest(name, values[name])
    path = str(template.expand(values))
    # Also where the other side decodes first, a proxy before it once more, and takes its dots and slashes then; some
    # drop what follows a semicolon before that.
    decoded = path
    for _ in range(_MOST_DECODED):
        decoded = unquote(decoded)
    if any(part.partition(";")[0] in (".", "..") for part in re.split(r"[/\\]", decoded)):
        raise ValidationFailed({"parameters": "the path must have no segment . or .."})
    return path


def _rest(name: str, value: Any) -> str:
    """Several segments of a path, each encoded but for what every segment may hold (RFC 3986 section 3.3)."""
    if not isinstance(value, str) or not all(value.split("/")):
        raise ValidationFailed({f"parameters.{name}": "must be segments of a path with one slash between them"})
    return quote(value, safe="/:@")


def _query(method: CompiledMethod, source: _Source) -> Iterator[str]:
    request = method.method.request
    for name, text in ((request and request.query) or {}).items():
        repeated = _REPEATED.fullmatch(text)
        names = variables_of(text)
        values = source.expanded(names)
        whole = values.get(names[0]) if repeated is not None else None
        if isinstance(whole, list):
            yield from (_pair(name, item) for item in whole)
        elif isinstance(whole, Mapping) and "*" in name:
            yield from (_pair(name.replace("*", key), item) for key, item in whole.items())
        elif values or not names:
            # What stands between the variables is not encoded yet; `%` begins what is.
            yield f"{quote(name, safe='')}={quote(method.query[name].expand(values), safe=_IN_QUERY)}"


def _pair(name: str, text: str) -> str:
    return f"{quote(name, safe='')}={quote(text, safe='')}"


def _headers(method: CompiledMethod, source: _Source) -> Iterator[tuple[str, str]]:
    """Each header; left out where it has variables, and none of them has a value."""
    request = method.method.request
    for name, template in ((request and request.headers) or {}).items():
        values = {found[0]: source.find(found[1]) for found in _VARIABLE.finditer(template)}
        if values and all(value is None for value in values.values()):
            continue
        texts = {mark: _joined(value, "=" if mark.endswith("*}") else ",") for mark, value in values.items()}
        text = "".join(texts.get(part, part) for part in _PARTS.split(template))
        if _HEADER_TEXT.fullmatch(text) is None:
            raise ValidationFailed({"parameters": f"the header {name} takes printable ASCII alone"})
        yield ("Content-Type" if name.lower() == "content-type" else name), text


def _joined(value: Any, glue: str) -> str:
    """The style `simple` of OpenAPI: items with a comma between, and of an object each name with its value."""
    if isinstance(value, Mapping):
        return ",".join(f"{name}{glue}{_text(inner)}" for name, inner in value.items() if inner is not None)
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return "" if value is None else _text(value)


def _template(compiled: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    if compiled is None:
        return dict(params)
    try:
        return compiled.search({**params, CONFIG: dict(config)})
    except Exception as error:  # noqa: BLE001 - whatever the author's expression does to the caller's parameters
        raise ExecutionFailed(f"The body's template cannot be applied: {str(error).splitlines()[0][:200]}") from None
