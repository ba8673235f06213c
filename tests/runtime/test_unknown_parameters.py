"""A query parameter that there is not is refused by name on every route of the platform: a filter may be misspelt."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rest.platform_v1.errors import is_service
from rest.platform_v1.queries import check_query
from rest.platform_v1.routes import ROUTES
from tests.runtime.platform import DEFINITIONS, INSTANCES, Platform
from tests.world import V1, World

pytestmark = pytest.mark.runtime
_PATHS = [(str(method), path, route) for route in ROUTES for path in route.paths for method in route.http_methods]
KNOWN = ("page", "limit", "search", "status", "definitionId")


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, re.sub(r"\{[^/]*\}", "x", path)) for method, path, route in _PATHS if not route.opt.get("open")],
)
async def test_on_every_route(method: str, path: str, world: World) -> None:
    """In the dialect of the path, whatever else is wrong with the request."""
    error = await _refused(Platform(world), method, f"{path}?unheard-of=1")
    told = error["details"][0] if is_service(path) else error["validationErrors"][0]
    assert told["path" if is_service(path) else "field"] == "unheard-of"
    assert told["message"].startswith("is not a parameter here")
    assert is_service(path) or told["code"] == "VAL_UNKNOWN_FIELD"


async def _refused(platform: Platform, method: str, path: str) -> dict[str, Any]:
    code = "VALIDATION_ERROR" if is_service(path.partition("?")[0]) else "VAL_FAILED"
    return await platform.refused(400, code, method, path)


async def test_the_nearest_name_is_told(world: World) -> None:
    """Each unknown one, beside what breaks a rule; what is near none is told what there is."""
    platform = Platform(world)
    error = await _refused(platform, "GET", f"{INSTANCES}?definitionID=1&stauts=CONNECTED&limit=1e1&page=1")
    assert {told["path"]: told["message"] for told in error["details"]} == {
        "definitionID": "is not a parameter here; the nearest is definitionId",
        "stauts": "is not a parameter here; the nearest is status",
        "limit": "must be an integer between 1 and 100",
    }
    error = await _refused(platform, "GET", f"{DEFINITIONS}?zz=")
    assert error["message"] == "Invalid query parameters"
    assert error["details"] == [
        {"path": "zz", "message": "is not a parameter here; there are limit, page, search, status, type"}
    ]
    assert (await platform.get(f"{DEFINITIONS}?limit=1&&page=1&")).status_code == 200


@pytest.mark.parametrize(
    ("query", "known", "names"),
    [
        (b"", KNOWN, []),
        (b"&&", KNOWN, []),
        (b"%73tatus=x", KNOWN, []),
        (b"Status=x", KNOWN, ["Status"]),
        (b"page", (), ["page"]),
        (b"page=x", (), ["page"]),
        (b"%00=1", KNOWN, ["\0"]),
        ("\u00e4=1".encode("latin-1"), KNOWN, ["\u00e4"]),
        (b"a" * 5_000, KNOWN, ["a" * 100]),
        (b"&".join(b"x%d" % n for n in range(500)), KNOWN, [f"x{n}" for n in range(10)]),
    ],
)
def test_what_is_told_is_bounded(query: bytes, known: tuple[str, ...], names: list[str]) -> None:
    from app.errors import InvalidQueryParameters

    if not names:
        check_query(query, known)
        return
    with pytest.raises(InvalidQueryParameters) as refused:
        check_query(query, known)
    assert list(refused.value.details) == names


async def test_elsewhere_they_are_left_alone(world: World) -> None:
    """The frozen contract passes them over, and so do the addresses that others append to: webhooks and landings."""
    key = await world.ready_key()
    answer = await world.client.get(f"{V1}/people?unheard_of=1", headers={"X-API-Key": key})
    assert answer.status_code == 200
    answer = await world.client.post("/api/v1/integrations/webhooks/x?unheard_of=1", json={})
    assert answer.status_code == 401
