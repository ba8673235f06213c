"""Answers of the running service, held against the committed snapshot of the contract."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import httpx
import jsonschema_rs

from rest.contracts.documents import snapshot

#: Version → the media type and the schema of its refusals.
REFUSALS = {"v1": ("application/json", "ErrorBody"), "v2": ("application/problem+json", "Problem")}
#: What any path under the prefix may answer, whatever it is; the body is the contract's error.
ANYWHERE = frozenset({404, 405, 413})


class Contract:
    """The snapshot as a judge: an answer has a documented status, and a body with exactly the members it documents."""

    def __init__(self, version: str = "v1") -> None:
        self.prefix = f"/integrations/{version}"
        self.media, self.refusal = REFUSALS[version]
        self.document: dict[str, Any] = json.loads(snapshot("integrations", version))
        self._strict = _closed(self.document["components"]["schemas"])
        self._validators: dict[str, Any] = {}
        self._paths = {_pattern(path): path for path in self.document["paths"]}

    def operation(self, path: str) -> dict[str, Any] | None:
        """The GET that is documented for a path below the prefix."""
        for pattern, template in self._paths.items():
            if pattern.fullmatch(path):
                found: dict[str, Any] = self.document["paths"][template]["get"]
                return found
        return None

    def check(self, response: httpx.Response) -> None:
        """Raise AssertionError where an answer is not what the snapshot promises."""
        path = response.request.url.path.removeprefix(self.prefix)
        status = response.status_code
        operation = self.operation(path) if response.request.method == "GET" else None
        if status >= 400:
            assert response.headers["content-type"] == self.media, (path, response.headers)
        if operation is None or (status in ANYWHERE and str(status) not in operation["responses"]):
            assert status in ANYWHERE, f"{response.request.method} {path} answered {status}, which no document allows"
            schema: dict[str, Any] = {"$ref": f"#/components/schemas/{self.refusal}"}
        else:
            assert str(status) in operation["responses"], f"{path} answered {status}, which is not documented"
            answer = operation["responses"][str(status)]
            if "content" not in answer:
                assert response.content == b"", f"{path} answered {status} with a body"
                return
            schema = answer["content"][self.media if status >= 400 else "application/json"]["schema"]
        if response.request.method != "HEAD":
            self.check_body(schema, response.json())

    def check_body(self, schema: dict[str, Any], body: Any) -> None:
        name = json.dumps(schema, sort_keys=True)
        if name not in self._validators:
            whole = schema | {"components": {"schemas": self._strict}}
            self._validators[name] = jsonschema_rs.Draft202012Validator(whole)
        problems = [f"{list(e.instance_path)}: {e.message}" for e in self._validators[name].iter_errors(body)]
        assert not problems, problems


def _closed(schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas with no room for members that are not documented: a frozen answer gains none."""
    closed = copy.deepcopy(schemas)
    for schema in closed.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return closed


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template)))


CONTRACT = Contract()
CONTRACT_V2 = Contract("v2")
CONTRACTS = {"v1": CONTRACT, "v2": CONTRACT_V2}
