"""A whole Swagger 2.0 document as OpenAPI 3.0 (by the two specifications' own lists of fields)."""

from typing import Any

from services.contracts.swagger.parameters import plain, request_body
from services.contracts.swagger.schemas import Schemas

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_FLOWS = {"application": "clientCredentials", "accessCode": "authorizationCode"}
#: Where neither the operation nor the document says what is sent.
_USUAL = ["application/json"]
_FILES = "x-dovetail-files"


def converted(document: dict[str, Any]) -> dict[str, Any]:
    """The same contract in OpenAPI 3.0; `document` is not changed, and nested no deeper than readers allow."""
    return _Conversion(document).whole()


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


class _Conversion:
    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.schemas = Schemas(document)
        self._answers: dict[tuple[int, tuple[str, ...]], dict[str, Any]] = {}

    def whole(self) -> dict[str, Any]:
        kept = ("info", "security", "tags", "externalDocs")
        found = {name: self.document[name] for name in kept if name in self.document}
        servers = self._servers(_texts(self.document.get("schemes")))
        paths = {**_object(self.document.get("x-ms-paths")), **_object(self.document.get("paths"))}
        found |= {"openapi": "3.0.3", "paths": {path: self._path(item) for path, item in paths.items()}}
        if servers:
            found["servers"] = servers
        if _FILES in self.document:
            found[_FILES] = {
                name: self.schemas.converted(each) for name, each in _object(self.document[_FILES]).items()
            }
        schemes = _object(self.document.get("securityDefinitions"))
        definitions = _object(self.document.get("definitions"))
        found["components"] = {
            "securitySchemes": {name: _scheme(self.schemas.resolved(each)) for name, each in schemes.items()},
            "schemas": {name: self.schemas.converted(each) for name, each in definitions.items()},
        }
        found["components"]["schemas"] |= self.schemas.elsewhere
        return found

    def _servers(self, schemes: list[str]) -> list[dict[str, str]]:
        """`schemes://host/basePath`; without schemes, whatever the document itself is fetched by."""
        host, path = self.document.get("host"), self.document.get("basePath")
        tail = f"/{path.strip('/')}" if isinstance(path, str) else ""
        if not isinstance(host, str):
            return [{"url": tail}] if tail else []
        return [{"url": f"{each}://{host}{tail}"} for each in schemes] or [{"url": f"//{host}{tail}"}]

    def _path(self, item: Any) -> Any:
        item = self.schemas.resolved(item)
        if not isinstance(item, dict):
            return item
        found = {key: each for key, each in item.items() if str(key).startswith("x-")}
        shared = self._parameters(item)
        for method in _METHODS:
            if isinstance(item.get(method), dict):
                found[method] = self._operation(item[method], shared)
        return found

    def _parameters(self, owner: dict[str, Any]) -> list[dict[str, Any]]:
        listed = owner.get("parameters")
        resolved = [self.schemas.resolved(each) for each in (listed if isinstance(listed, list) else ())]
        return [each for each in resolved if isinstance(each, dict) and isinstance(each.get("in"), str)]

    def _operation(self, operation: dict[str, Any], shared: list[dict[str, Any]]) -> dict[str, Any]:
        changed = {"parameters", "consumes", "produces", "schemes", "responses"}
        found = {key: each for key, each in operation.items() if key not in changed}
        consumes, produces = (self._media(operation, name) for name in ("consumes", "produces"))
        listed = self._overlaid(shared, self._parameters(operation))
        body = request_body(listed, consumes, self.schemas)
        if body is not None:
            found["requestBody"] = body
        found["parameters"] = [
            plain(each, each["in"], self.schemas) for each in listed if each["in"] not in ("body", "formData")
        ]
        schemes = _texts(operation.get("schemes"))
        if schemes and isinstance(self.document.get("host"), str):
            found["servers"] = self._servers(schemes)
        answers = _object(operation.get("responses"))
        found["responses"] = {status: self._answer(each, produces) for status, each in answers.items()}
        return found

    def _overlaid(self, shared: list[dict[str, Any]], own: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those of the path with those of the operation laid over them; a body has no name of its own."""
        found = {}
        for each in shared + own:
            found[(each["in"], "" if each["in"] == "body" else str(each.get("name")))] = each
        return list(found.values())

    def _media(self, operation: dict[str, Any], name: str) -> list[str]:
        return _texts(operation.get(name, self.document.get(name))) or _USUAL

    def _answer(self, value: Any, produces: list[str]) -> Any:
        value = self.schemas.resolved(value)
        if not isinstance(value, dict):
            return value
        key = (id(value), tuple(produces))
        if key not in self._answers:
            found = {name: each for name, each in value.items() if name not in ("schema", "headers", "examples")}
            if isinstance(value.get("schema"), dict):
                found["content"] = {kind: {"schema": self.schemas.converted(value["schema"])} for kind in produces}
            headers = _object(value.get("headers"))
            found["headers"] = {
                name: plain(each, "header", self.schemas) for name, each in headers.items() if isinstance(each, dict)
            }
            self._answers[key] = found
        return self._answers[key]


def _scheme(value: Any) -> Any:
    """`basic` is a scheme of HTTP; an OAuth2 scheme has one flow, by another name."""
    if not isinstance(value, dict):
        return value
    if value.get("type") == "basic":
        return {"type": "http", "scheme": "basic"}
    if value.get("type") != "oauth2":
        return value
    kind = str(value.get("flow"))
    names = ("authorizationUrl", "tokenUrl", "scopes")
    return {"type": "oauth2", "flows": {_FLOWS.get(kind, kind): {each: value[each] for each in names if each in value}}}
