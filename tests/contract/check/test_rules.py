"""The five rules on registries and files made for it: what a change of a registry may and may not do."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from rest.contracts.checking import Now, Past, Side, check
from rest.contracts.versions import Api, Version
from services.contracts.reports import Code, Level

pytestmark = pytest.mark.contract
TODAY = date(2026, 11, 21)
OLD, NEW = "old", "new"


def document(*paths: str) -> bytes:
    operation = {"responses": {"200": {"description": "Fine."}}}
    made: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}}
    return json.dumps(made | {"paths": {path: {"get": operation} for path in paths}}).encode()


def api(frozen: Iterable[str] = (), active: str | None = None) -> Api:
    names = [*frozen, *([active] if active else [])]
    made = {n: Version(f"p{n}", "r:b", f"s{n}:S", "e:b", "application/json", f"a-{n}.json", 1) for n in names}
    return Api("/a", tuple(frozen), active, made)


def side(found: Api | None, **files: bytes) -> Side:
    table = {f"rest/contracts/snapshots/a-{name}.json": text for name, text in files.items()}
    return Side({"a": found} if found else {}, table.get)


def codes(before: Side, after: Side, since: dict[str, list[bytes | None]] | None = None) -> set[str]:
    """The codes of a change whose code makes what its files say."""
    apis = after.apis
    live = (
        {("a", v): after.file(f"rest/contracts/snapshots/a-{v}.json") or b"" for v in apis["a"].names} if apis else {}
    )
    past = Past(before, lambda path: [("c0ffee", text) for text in (since or {}).get(path.rsplit("-")[-1], [])])
    return {entry.code.value for entry in check(Now(after, live), past, TODAY) if entry.level is Level.ERROR}


ONE, TWO, LESS = document("/x", "/y"), document("/x", "/y", "/z"), document("/x")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (side(api(["v1"]), v1=ONE), side(api(["v1"]), v1=ONE), set()),
        (side(api(["v1"]), v1=ONE), side(api(["v1"]), v1=TWO), {"FROZEN_CHANGED"}),
        (side(api(["v1"]), v1=ONE), side(api(["v1"])), {"FROZEN_CHANGED"}),
        (side(api([], "v1"), v1=ONE), side(api([], "v1"), v1=TWO), set()),
        (side(api([], "v1"), v1=ONE), side(api([], "v1"), v1=LESS), {"ENDPOINT_REMOVED"}),
        (side(api([], "v1"), v1=ONE), side(api(["v1"]), v1=ONE), set()),
        (side(api([], "v1"), v1=ONE), side(api(["v1"]), v1=TWO), {"FROZEN_CHANGED"}),
        (side(api([], "v1"), v1=ONE), side(api(["v1"], "v2"), v1=ONE, v2=LESS), set()),
        (side(api(["v1"]), v1=ONE), side(api(["v1"], "v2"), v1=ONE, v2=LESS), set()),
        (side(api(["v1"]), v1=ONE), side(api([], "v1"), v1=ONE), {"FROZEN_CHANGED"}),
        (side(api(["v1"], "v2"), v1=ONE, v2=TWO), side(api(["v1"]), v1=ONE), {"VERSION_REMOVED"}),
        (side(api([], "v1"), v1=ONE), side(api([], "v2"), v2=ONE), {"VERSION_REMOVED", "REGISTRY_INVALID"}),
        (side(api(["v1"]), v1=ONE), side(None), {"VERSION_REMOVED"}),
        (side(None), side(api([], "v1"), v1=ONE), set()),
        (side(api([], "v1"), v1=b"\xff"), side(api([], "v1"), v1=ONE), {"UNKNOWN_CHANGE"}),
        (side(api([], "v1"), v1=ONE), side(api(["v1"], "v3"), v1=ONE, v3=ONE), {"REGISTRY_INVALID"}),
    ],
)
def test_what_a_change_of_the_registry_means(before: Side, after: Side, expected: set[str]) -> None:
    """A freeze is one way and exact, nothing goes, and the next begins only where the former is frozen."""
    assert codes(before, after) == expected


def test_a_frozen_snapshot_is_followed_through_every_commit() -> None:
    """Only from where it was frozen: while it was active it might move."""
    passing: dict[str, list[bytes | None]] = {"v1.json": [TWO, ONE]}
    assert codes(side(api(["v1"]), v1=ONE), side(api(["v1"]), v1=ONE), passing) == {"FROZEN_CHANGED"}
    assert codes(side(api([], "v1"), v1=ONE), side(api(["v1"]), v1=ONE), passing) == set()
    assert codes(side(api(["v1"]), v1=ONE), side(api(["v1"]), v1=ONE), {"v1.json": [None, ONE]}) == {"FROZEN_CHANGED"}


def test_code_and_files_must_say_the_same() -> None:
    """Frozen: FROZEN_CHANGED; active: SNAPSHOT_STALE, and what the code takes away is told at once."""
    for found, expected in (
        (api(["v1"]), {Code.FROZEN_CHANGED}),
        (api([], "v1"), {Code.SNAPSHOT_STALE, Code.ENDPOINT_REMOVED}),
    ):
        now = Now(side(found, v1=ONE), {("a", "v1"): LESS})
        past = Past(side(found, v1=ONE), lambda path: [])
        assert {entry.code for entry in check(now, past, TODAY)} == expected


def test_a_schema_that_goes_is_a_version_removed() -> None:
    """An API with a schema has no versions, and stays for ever."""
    files = {"s.graphql": b"type Query { a: Int b: Int }"}
    before = Side({"g": Api("/graphql", schema="s.graphql")}, files.get)
    gone = check(Now(Side({}, files.get), {}), Past(before, lambda path: []), TODAY)
    assert [entry.code for entry in gone] == [Code.VERSION_REMOVED]
    less = Now(Side(before.apis, {"s.graphql": b"type Query { a: Int }"}.get), {("g", ""): b"type Query { a: Int }"})
    # The registry of the base need not know the schema yet.
    for apis in (before.apis, {}):
        found = check(less, Past(Side(apis, files.get), lambda path: []), TODAY)
        assert [entry.code for entry in found if entry.level is Level.ERROR] == [Code.ENDPOINT_REMOVED]
