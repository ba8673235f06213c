"""Every handler of a frozen version, moved in every way: the check says FROZEN_CHANGED and names it."""

import copy
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from rest.contracts.checking import Now, Side, check, snapshot_file
from rest.contracts.documents import render, snapshot
from rest.contracts.registry import APIS
from services.contracts.reports import Code

pytestmark = pytest.mark.contract
TODAY = date(2026, 11, 21)
FROZEN = [(name, version) for name, api in APIS.items() for version in api.frozen]
DOCUMENTS = {each: json.loads(snapshot(*each)) for each in FROZEN}
HANDLERS = [
    (api, version, path, method)
    for (api, version), document in DOCUMENTS.items()
    for path, item in document["paths"].items()
    for method in item
]


def _summary(document: dict[str, Any], path: str, method: str) -> None:
    document["paths"][path][method]["summary"] += "."


def _description(document: dict[str, Any], path: str, method: str) -> None:
    document["paths"][path][method]["description"] += " More."


def _parameter(document: dict[str, Any], path: str, method: str) -> None:
    added = {"in": "query", "name": "more", "required": False, "schema": {"type": "string"}}
    document["paths"][path][method].setdefault("parameters", []).append(added)


def _parameter_schema(document: dict[str, Any], path: str, method: str) -> None:
    parameters = document["paths"][path][method].get("parameters", [])
    for parameter in parameters:
        parameter["schema"] = {"type": "boolean"}
    if not parameters:
        _parameter(document, path, method)


def _answer(document: dict[str, Any], path: str, method: str) -> None:
    content = document["paths"][path][method]["responses"]["200"]["content"]
    for media in content.values():
        media["schema"] = {"type": "string"}


def _status(document: dict[str, Any], path: str, method: str) -> None:
    document["paths"][path][method]["responses"]["418"] = {"description": "New"}


def _security(document: dict[str, Any], path: str, method: str) -> None:
    document["paths"][path][method]["security"] = [{"ApiKey": ["more.read"]}]


def _operation_id(document: dict[str, Any], path: str, method: str) -> None:
    document["paths"][path][method]["operationId"] += "_again"


def _deprecated(document: dict[str, Any], path: str, method: str) -> None:
    document["paths"][path][method]["deprecated"] = True


def _gone(document: dict[str, Any], path: str, method: str) -> None:
    del document["paths"][path][method]


def _moved(document: dict[str, Any], path: str, method: str) -> None:
    document["paths"][path + "/again"] = document["paths"].pop(path)


MUTATIONS = [
    _summary, _description, _parameter, _parameter_schema, _answer, _status, _security, _operation_id, _deprecated,
    _gone, _moved,
]  # fmt: skip


def checked(api: str, version: str, live: dict[str, Any]) -> list[Any]:
    """What the check says where the routes make `live`, and the committed snapshot is as it was."""
    file = snapshot_file(APIS, api, version)
    side = Side({api: APIS[api]}, lambda path: snapshot(api, version) if path == file else None)
    return check(Now(side, {(api, version): render(live).encode()}), None, TODAY)


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__[1:])
@pytest.mark.parametrize(("api", "version", "path", "method"), HANDLERS)
def test_a_moved_handler_is_named(
    api: str, version: str, path: str, method: str, mutate: Callable[[dict[str, Any], str, str], None]
) -> None:
    """One entry, one sentence: which version, which operation, and how to put it right."""
    live = copy.deepcopy(DOCUMENTS[api, version])
    mutate(live, path, method)
    [entry] = checked(api, version, live)
    assert entry.code is Code.FROZEN_CHANGED
    assert entry.message.startswith(f"{api} {version} is frozen, and ")
    assert path in entry.message and "put it back as it was" in entry.message
    assert method.upper() in entry.message or mutate is _moved


@pytest.mark.parametrize(("api", "version"), FROZEN)
def test_a_moved_schema_names_those_who_send_it(api: str, version: str) -> None:
    """A component is told with an operation that leads to it."""
    for name in DOCUMENTS[api, version]["components"]["schemas"]:
        live = copy.deepcopy(DOCUMENTS[api, version])
        live["components"]["schemas"][name]["description"] = "Something else."
        [entry] = checked(api, version, live)
        assert f"schemas/{name} (of GET /" in entry.message


@pytest.mark.parametrize(("api", "version"), FROZEN)
def test_nothing_moved(api: str, version: str) -> None:
    """The same document gives no entry; the same values in another layout do."""
    assert checked(api, version, DOCUMENTS[api, version]) == []
    file = snapshot_file(APIS, api, version)
    side = Side({api: APIS[api]}, lambda path: snapshot(api, version) if path == file else None)
    dense = json.dumps(DOCUMENTS[api, version], sort_keys=True).encode()
    [entry] = check(Now(side, {(api, version): dense}), None, TODAY)
    assert "its text is written otherwise" in entry.message
