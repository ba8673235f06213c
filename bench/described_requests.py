"""What an OpenAPI description demands of a request, read by itself, beside what an imported method sends."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from app.errors import DomainError
from services.integrations.definitions.compiling import compile_definition
from services.integrations.definitions.model import Definition
from services.integrations.execution.requests import Prepared, build_request
from services.integrations.execution.targets import checked_parameters
from services.integrations.importing.reports import Report

_VERBS = ("get", "head", "post", "put", "patch", "delete")
_TEXTS = {
    "date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "email": "a@example.org", "uri": "https://example.org/a", "url": "https://example.org/a", "ipv4": "192.0.2.1",
    "hostname": "example.org", "ipv6": "2001:db8::1", "time": "12:00:00Z", "duration": "P1D", "byte": "YQ==",
}  # fmt: skip
_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float),
    "boolean": (bool,),
}  # fmt: skip
_BASE = "https://base.example"


class Demand(NamedTuple):
    """What has to be seen: each pair of the query, each header, and the value of the body."""

    path: dict[str, str]
    query: list[tuple[str, str]]
    headers: dict[str, str]
    params: dict[str, Any]
    body: Any
    media: str | None


class Checker:
    """Compares, operation by operation."""

    def __init__(self, root: dict[str, Any], definition: Definition, report: Report) -> None:
        self.root, self.report = root, report
        self.compiled = compile_definition(definition)
        self.told: dict[str, set[str]] = {}
        for each in report.findings:
            self.told.setdefault(each.operation, set()).add(each.where)
        self.operations = dict(self._operations())
        left = {each.operation for each in report.findings if each.effect == "left_out"}
        kept = [label for label in self.operations if label not in left]
        self.methods = dict(zip(kept, self.compiled.methods.values(), strict=True))

    def _operations(self) -> Iterator[tuple[str, tuple[str, Any, Any]]]:
        for path, item in self.root.get("paths", {}).items():
            if path.startswith("x-"):
                continue
            found = self.at(item)
            for verb in _VERBS:
                if isinstance(found, dict) and isinstance(found.get(verb), dict):
                    yield f"{verb.upper()} {path}", (path, found, found[verb])

    def at(self, value: Any) -> Any:
        """What a reference within the document leads to."""
        for _ in range(30):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            found: Any = self.root
            for token in value["$ref"].split("/")[1:]:
                token = unquote(token).replace("~1", "/").replace("~0", "~")
                found = found[int(token)] if isinstance(found, list) else found.get(token)
            value = found
        return {}

    def faults(self, label: str) -> Iterator[str]:
        """Each way in which the method's request is not the one that is described."""
        method = self.methods[label]
        path, item, operation = self.operations[label]
        schema = (method.method.param_schema or {}).get("properties", {})
        given: dict[str, Any] = {}
        wanted: list[tuple[str, str, list[tuple[str, str]]]] = []
        for parameter in self._parameters(item, operation):
            place, name = parameter["in"], parameter["name"]
            where = f"parameters.{place}.{name}"
            names = self._variables(method, parameter, path)
            if names is None:
                if where not in self.told.get(label, set()):
                    yield f"{where} is nowhere, and nothing was told"
                continue
            wanted.append((place, name, self._filled(parameter, names, given)))
        body = self.at(operation.get("requestBody"))
        if "body" in schema and isinstance(body, dict):
            given["body"] = sample(self, schema_of(body), 0)
        try:
            request = build_request(method, _BASE, given, {}, ())
        except DomainError as error:
            yield f"cannot be built: {error.message} {error.details}"
            return
        try:
            checked_parameters(method, given)
        except DomainError as error:
            # A value of a pattern or format is more than simple means find.
            hard = ("does not match", "the value is not a ")
            if not all(any(text in str(rule) for text in hard) for rule in (error.details or {}).values()):
                yield f"refuses {json.dumps(given)[:200]}: {error.details}"
        yield from self._compared(request, wanted)
        if "body" in given:
            yield from _body_compared(request, given["body"])

    def _parameters(self, item: Any, operation: Any) -> list[dict[str, Any]]:
        found = {}
        for each in [*(item.get("parameters") or []), *(operation.get("parameters") or [])]:
            parameter = self.at(each)
            if isinstance(parameter, dict) and "name" in parameter and "in" in parameter:
                found[parameter["name"], parameter["in"]] = parameter
        return list(found.values())

    def _variables(self, method: Any, parameter: Any, path: str) -> dict[str, str] | None:
        """Key on the wire → variable of the method; None where the method has none for it."""
        request, place, name = method.method.request, parameter["in"], parameter["name"]
        if place == "path":
            if "?" in path or "#" in path:
                return {} if f"{{{name}}}" in path else None
            return _in_path(path, request.path, name)
        table = (request.query if place == "query" else request.headers) or {}
        if place == "query" and name not in table and parameter.get("style", "form") == "form":
            own = [key for key in table if key == "*" or _property(self, schema_of(parameter), key) != {}]
            return {key: table[key].strip("{}*") for key in own} or None
        found = {
            key: text.strip("{}*") for key, text in table.items()
            if text.startswith("{") and (key == name or (place == "query" and key.startswith((f"{name}[", ))))
        }  # fmt: skip
        return found or None

    def _filled(self, parameter: Any, names: dict[str, str], given: dict[str, Any]) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        for key, variable in names.items():
            schema = self._schema_at(parameter, key)
            value = sample(self, schema, 0)
            if "content" in parameter:
                value = json.dumps(value)
            delimiter = {"pipeDelimited": "|", "spaceDelimited": " "}.get(parameter.get("style", ""))
            if isinstance(value, list) and delimiter and not parameter.get("explode", False):
                value = delimiter.join(map(_text, value))
            if value == {}:
                value = {"a": "b"}
            if value in (None, "", []):
                value = "x"
            given[variable] = value
            exploded = parameter.get("explode", parameter["in"] == "query")
            if isinstance(value, Mapping) and "*" in key:
                pairs += [(key.replace("*", name), _text(one)) for name, one in value.items()]
                continue
            if isinstance(value, list) and parameter["in"] == "query" and (exploded or key.endswith("[]")):
                pairs += [(key, _text(one)) for one in value]
            elif isinstance(value, list):
                pairs.append((key, ",".join(map(_text, value))))
            elif isinstance(value, Mapping):
                glue = "=" if exploded else ","
                pairs.append((key, ",".join(f"{name}{glue}{_text(one)}" for name, one in value.items())))
            else:
                pairs.append((key, _text(value)))
        return pairs

    def _schema_at(self, parameter: Any, key: str) -> Any:
        """Of `filter[a][b]` the schema of b."""
        schema = schema_of(parameter)
        for part in key[len(parameter["name"]) :].replace("]", "").split("[")[1:]:
            if part:
                schema = _property(self, schema, part)
        if not key.startswith(parameter["name"]):
            return _property(self, schema, key)
        return schema

    def _compared(self, request: Prepared, wanted: Any) -> Iterator[str]:
        url = urlsplit(request.url)
        seen = Counter(parse_qsl(url.query, keep_blank_values=True))
        headers = {name.lower(): text for name, text in request.headers.items()}
        segments = unquote(url.path)
        for place, name, pairs in wanted:
            for key, text in pairs:
                if place == "query" and seen[key, text] < 1:
                    yield f"query {key}={text[:60]} is not in {url.query[:200]}"
                if place == "query":
                    seen[key, text] -= 1
                if place == "header" and headers.get(key.lower()) != text:
                    yield f"header {name}: {text[:60]} is {headers.get(key.lower())}"
                if place == "path" and text not in segments and quote(text) not in url.path:
                    yield f"path {name}={text[:60]} is not in {url.path[:200]}"


def _body_compared(request: Prepared, value: Any) -> Iterator[str]:
    kind = request.headers.get("Content-Type", "").partition(";")[0]
    sent = request.body or b""
    if kind == "application/x-www-form-urlencoded" and isinstance(value, Mapping):
        pairs = parse_qsl(sent.decode(), keep_blank_values=True)
        plain = [(name, _text(one)) for name, one in value.items() if isinstance(one, (str, int, float))]
        yield from (f"form {pair} is not in {sent[:200]!r}" for pair in plain if pair not in pairs)
    elif kind == "multipart/form-data" and isinstance(value, Mapping):
        marks = [f'name="{name}"'.encode() for name, one in value.items() if one is not None]
        yield from (f"multipart {mark!r} is not there" for mark in marks if mark not in sent)
    elif (kind.endswith("json") and json.loads(sent) != value) or (isinstance(value, str) and kind[:5] == "text/"
            and sent.decode() != value):  # fmt: skip
        yield f"body {sent[:200]!r} is not {value!r:.200}"


def _in_path(path: str, template: str | None, name: str) -> dict[str, str] | None:
    mark = f"{{{name}}}"
    if mark not in path or template is None:
        return None
    number = [part.partition("}")[0] for part in path.split("{")[1:]].index(name)
    variables = [part.partition("}")[0] for part in template.split("{")[1:]]
    return {name: variables[number].rstrip("*")}


def schema_of(holder: Mapping[str, Any]) -> Any:
    """The schema, or that of the first media type."""
    if "content" in holder:
        return next((media.get("schema", {}) for media in holder["content"].values()), {})
    return holder.get("schema", {"type": "string"})


def _property(checker: Checker, schema: Any, name: str) -> Any:
    found = checker.at(schema)
    for each in [found, *(checker.at(one) for word in ("anyOf", "oneOf", "allOf") for one in found.get(word, []))]:
        if name in each.get("properties", {}):
            return each["properties"][name]
    return {}


def sample(checker: Checker, schema: Any, level: int) -> Any:
    """A small value that a schema allows, as far as simple means find one."""
    found = checker.at(schema)
    if not isinstance(found, dict) or level > 6:
        return "x"
    if isinstance(found.get("enum"), list) and found["enum"]:
        return next((each for each in found["enum"] if each is not None), None)
    for word in ("const", "example", "default"):
        if found.get(word) is not None and type(found[word]) in _KINDS.get(str(found.get("type")), (object,)):
            return found[word]
    if found.get("allOf"):
        parts = [sample(checker, each, level + 1) for each in found["allOf"]]
        whole = [each for each in parts if isinstance(each, dict)]
        return {name: value for each in whole for name, value in each.items()} if whole else parts[0]
    for word in ("oneOf", "anyOf"):
        if found.get(word):
            return sample(checker, found[word][0], level + 1)
    kind = found.get("type")
    kind = next((each for each in kind if each != "null"), "null") if isinstance(kind, list) else kind
    if kind == "object" or "properties" in found:
        inner = found.get("properties") or {}
        return {name: sample(checker, inner.get(name, {}), level + 1) for name in found.get("required") or []}
    if kind == "array":
        return [sample(checker, found.get("items", {}), level + 1)] * max(1, int(found.get("minItems", 1)))
    if kind in ("integer", "number"):
        return max(int(found.get("minimum", 1)), 1) if found.get("maximum", 2) >= 1 else int(found["maximum"])
    if kind == "boolean":
        return True
    text = _TEXTS.get(found.get("format", ""), "x y/z")
    return text.ljust(int(found.get("minLength", 0)), "x")[: int(found.get("maxLength", 10**6))]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
