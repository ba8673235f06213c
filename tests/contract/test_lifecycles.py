"""What ends: the document and the headers of every answer say the same, from the deprecation to 410."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar, get
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.params import FromPath

from rest.contracts.documents import snapshot
from rest.contracts.lifecycles import Announced, announced, deprecated_operation, ending, endings_of
from rest.contracts.registry import APIS
from tests.world import running

pytestmark = pytest.mark.contract
#: 2026-11-01 and 2027-06-30, midnight UTC.
MARKS = {"deprecation": "@1793491200", "sunset": "Wed, 30 Jun 2027 00:00:00 GMT"}
OLD = deprecated_operation("2026-11-01", "2027-06-30", "/new")


@get("/old/{row:str}", operation_id="get_old", deprecated=True, operation_class=OLD)
async def get_old(row: FromPath[str]) -> dict[str, str]:
    if row == "none":
        raise NotFoundException
    return {"row": row}


@get("/new/{row:str}", operation_id="get_new")
async def get_new(row: FromPath[str]) -> dict[str, str]:
    return {"row": row}


def build() -> tuple[Any, dict[str, Any]]:
    app = Litestar([get_old, get_new], openapi_config=OpenAPIConfig(title="t", version="1"))
    document = app.openapi_schema.to_schema()
    return announced(app, document), document  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/old/1", 200), ("GET", "/old/1/", 200), ("HEAD", "/old/1", 405), ("GET", "/old/none", 404),
])  # fmt: skip
async def test_headers_and_document_agree(method: str, path: str, status: int) -> None:
    """Every answer of a deprecated operation has the three headers, refusals too; their source is the document."""
    app, document = build()
    operation = document["paths"]["/old/{row}"]["get"]
    assert operation["deprecated"] is True
    told = [operation[name] for name in ("x-deprecated-at", "x-sunset", "x-successor")]
    assert told == ["2026-11-01", "2027-06-30", "/new"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in MARKS} == MARKS
    assert answer.headers["link"] == '</new>; rel="successor-version"'


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/new/1"), ("GET", "/old"), ("POST", "/old/1"), ("GET", "/old/1/2")]
)
async def test_what_is_not_deprecated_says_nothing(method: str, path: str) -> None:
    """Another operation, another method, and paths that only begin alike."""
    app, _ = build()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        answer = await client.request(method, path)
    assert not {"deprecation", "sunset", "link"} & set(answer.headers)


def test_a_sunset_is_not_before_its_deprecation() -> None:
    """RFC 9745; and a deprecated operation that does not say since when is refused, with its name."""
    with pytest.raises(ValueError, match="is before"):
        ending("2027-01-01", "2026-12-31", None)
    assert ending("2027-01-01", "2027-01-01", None).sunset_at == ending("2027-01-01", None, None).deprecated_at
    assert ending("2027-01-01T01:00:00+01:00", None, None) == ending("2027-01-01", None, None)
    for operation in ({}, {"x-deprecated-at": "soon"}, {"x-deprecated-at": 5}):
        with pytest.raises(ValueError, match="GET /a is deprecated"):
            endings_of({"paths": {"/a": {"get": {"deprecated": True} | operation}}})


def test_a_surface_without_an_end_is_not_wrapped() -> None:
    """The mechanism costs nothing where nothing ends; every committed document is one that it reads."""
    assert not isinstance(announced(build, {"paths": {}}), Announced)  # type: ignore[arg-type]
    for name, api in APIS.items():
        for version in api.names:
            endings_of(json.loads(snapshot(name, version)))


async def test_a_retired_path_is_gone_and_names_its_successor(tmp_path: Path) -> None:
    """Switched off, the former paths answer 410 in the contract's form; others below their prefix stay unknown."""
    async with running(f"sqlite:///{tmp_path}/db.sqlite", tmp_path, legacy_paths=False) as (_, client):
        answer = await client.get("/v1/people", headers={"X-API-Key": "any"})
        assert answer.status_code == 410
        assert answer.json() == {
            "error": "This path was retired. Call /integrations/v1/people instead.", "code": "gone", "details": None,
        }  # fmt: skip
        assert answer.headers["link"] == '</integrations/v1/people>; rel="successor-version"'
        assert answer.headers["deprecation"] == "@1776816000" and "sunset" in answer.headers
        other = await client.get("/v1/nothing")
        assert (other.status_code, other.json()["code"]) == (404, "not_found")
