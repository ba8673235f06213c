"""Answers of the running service, held against the committed snapshot of the contract."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import httpx
import jsonschema_rs

from rest.contracts.documents import snapshot
from rest.contracts.registry import APIS

#: What any path under the prefix may answer, whatever it is; the body is the contract's error.
ANYWHERE = frozenset({404, 405, 413, 415})


class Contract:
    """The snapshot as a judge: an answer has a documented status, and a body with exactly the members it documents."""

    def __init__(self, api: str = "integrations", version: str = "v1") -> None:
        self.prefix = f"{APIS[api].prefix}/{version}"
        self.media = APIS[api].versions[version].media
        self.document: dict[str, Any] = json.loads(snapshot(api, version))
        self._strict = _closed(self.document["components"]["schemas"])
        self._validators: dict[str, Any] = {}
        self._paths = {_pattern(path): path for path in sorted(self.document["paths"], key=lambda path: "{" in path)}
        self._refusal = {"anyOf": self._refusals()}

    def _refusals(self) -> list[dict[str, Any]]:
        """The forms of a refusal, wherever the document has one."""
        found = {
            json.dumps(content["schema"], sort_keys=True)
            for item in self.document["paths"].values()
            for operation in item.values()
            for status, answer in operation["responses"].items()
            if status >= "400"
            for content in answer.get("content", {}).values()
        }
        return [json.loads(schema) for schema in sorted(found)]

    def operation(self, path: str, method: str = "get") -> dict[str, Any] | None:
        """What is documented for a path below the prefix."""
        for pattern, template in self._paths.items():
            if pattern.fullmatch(path):
                found: dict[str, Any] | None = self.document["paths"][template].get(method)
                return found
        return None

    def check(self, response: httpx.Response) -> None:
        """Raise AssertionError where an answer is not what the snapshot promises."""
        # A slash at the end is forgiven.
        path, method = response.request.url.path.removeprefix(self.prefix).rstrip("/"), response.request.method
        status = response.status_code
        operation = self.operation(path, method.lower())
        if status >= 400:
            assert response.headers["content-type"] == self.media, (path, response.headers)
        if operation is None or (status in ANYWHERE and str(status) not in operation["responses"]):
            assert status in ANYWHERE, f"{method} {path} answered {status}, which no document allows"
            schema: dict[str, Any] = self._refusal
        else:
            assert str(status) in operation["responses"], f"{method} {path} answered {status}, which is not documented"
            answer = operation["responses"][str(status)]
            if status in (204, 304) or not answer.get("content"):
                assert response.content == b"", f"{path} answered {status} with a body"
                return
            kind = response.headers.get("content-type", "")
            if status < 400 and kind != "application/json" and kind in answer["content"]:
                text = kind.startswith("text/plain")
                self.check_body(answer["content"][kind]["schema"], response.text if text else response.json())
                return
            schema = answer["content"][self.media if status >= 400 else "application/json"]["schema"]
        if method != "HEAD":
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
CONTRACT_V2 = Contract("integrations", "v2")
CONTRACTS = {"v1": CONTRACT, "v2": CONTRACT_V2}
EVERY = {(api, version): Contract(api, version) for api in APIS for version in APIS[api].names}


async def judge(response: httpx.Response) -> None:
    """Hold any answer against the snapshot of the version that it is below; a hook of the suite's client."""
    path = response.request.url.path
    for contract in EVERY.values():
        judged = path.startswith(f"{contract.prefix}/") and not path.endswith("/openapi.json")
        if judged and response.request.method not in ("OPTIONS", "TRACE", "CONNECT"):
            await response.aread()
            contract.check(response)
