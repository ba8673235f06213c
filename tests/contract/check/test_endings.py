"""Deprecate, announce a day, remove from it on: every part of an OpenAPI document that can go."""

import copy
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from services.contracts.comparing import compare_documents
from services.contracts.findings import blocking
from services.contracts.reading import read_document

pytestmark = pytest.mark.contract
SUNSET = date(2026, 11, 20)
END = {"deprecated": True, "x-deprecated-at": "2026-01-01", "x-sunset": SUNSET.isoformat()}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/x": {
            "get": {"operationId": "get_x", "responses": {"200": {"description": "Fine."}}},
            "post": {
                "operationId": "post_x",
                "parameters": [
                    {"in": "query", "name": "a", "schema": {"type": "string"}},
                    {"in": "query", "name": "b", "schema": {"type": "string"}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {
                    "type": "object", "additionalProperties": False,
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                }}}},
                "responses": {"200": {"description": "Fine.", "content": {"application/json": {"schema": {
                    "type": "object", "required": ["a"],
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                }}}}},
            },
        }
    },
}  # fmt: skip


def _post(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"]["/x"]["post"]
    return found


def _sent(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _post(document)["requestBody"]["content"]["application/json"]["schema"]["properties"]
    return found


def _answered(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _post(document)["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
    return found


#: Each level: the part that is marked, and how it goes.
LEVELS: dict[str, tuple[Callable[[Any], dict[str, Any]], Callable[[Any], Any]]] = {
    "operation": (lambda d: d["paths"]["/x"]["get"], lambda d: d["paths"]["/x"].pop("get")),
    "parameter": (lambda d: _post(d)["parameters"][1], lambda d: _post(d)["parameters"].pop(1)),
    "request field": (lambda d: _sent(d)["b"], lambda d: _sent(d).pop("b")),
    "response field": (lambda d: _answered(d)["b"], lambda d: _answered(d).pop("b")),
}


def blocked(base: dict[str, Any], revision: dict[str, Any], today: date) -> bool:
    sides = [read_document(json.dumps(each).encode(), "d.json") for each in (base, revision)]
    return bool(blocking(compare_documents(sides[0], sides[1], today=today)))


@pytest.mark.parametrize("level", LEVELS)
def test_removal_passes_from_the_sunset_on(level: str) -> None:
    """Not before, and not without a deprecation or a day."""
    part, take = LEVELS[level]
    base, revision = copy.deepcopy(DOCUMENT), copy.deepcopy(DOCUMENT)
    take(revision)
    assert blocked(base, revision, date(2100, 1, 1))
    part(base).update(END)
    assert blocked(base, revision, SUNSET - timedelta(days=1))
    assert not blocked(base, revision, SUNSET)
    del part(base)["x-sunset"]
    assert blocked(base, revision, date(2100, 1, 1))


@pytest.mark.parametrize("level", LEVELS)
def test_announcing_the_end_blocks_nothing(level: str) -> None:
    """The first step changes nothing for anybody."""
    revision = copy.deepcopy(DOCUMENT)
    LEVELS[level][0](revision).update(END)
    assert not blocked(DOCUMENT, revision, SUNSET - timedelta(days=300))
