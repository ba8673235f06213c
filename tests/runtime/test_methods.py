"""Methods, of every path of every surface: what `Allow` names is taken, and everything else is a 405 that says so."""

from __future__ import annotations

import re

import httpx
import pytest

from rest.integrations_v1 import PREFIX as V1
from rest.integrations_v1.routes import ROUTES as V1_ROUTES
from rest.integrations_v2 import PREFIX as V2
from rest.integrations_v2.routes import ROUTES as V2_ROUTES
from rest.platform_v1 import PREFIX as PLATFORM
from rest.platform_v1.landing import LANDING
from rest.platform_v1.routes import ROUTES as PLATFORM_ROUTES
from tests.world import World

pytestmark = pytest.mark.runtime
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
_MOUNTED = ((PLATFORM, PLATFORM_ROUTES), (V1, V1_ROUTES), (V2, V2_ROUTES))


def declared() -> dict[str, set[str]]:
    """Each path with a route, its parameters filled in, and the methods that are declared for it."""
    found: dict[str, set[str]] = {f"{prefix}/openapi.json": {"GET"} for prefix, _ in _MOUNTED}
    for prefix, routes in _MOUNTED:
        for route in routes:
            for path in route.paths:
                named = prefix + re.sub(r"\{[^/]*\}", "x", path)
                found.setdefault(named, set()).update(str(method) for method in route.http_methods)
    own = ("/", "/health/live", "/health/ready", "/metrics", "/docs", "/graphql", "/graphql/operations.json")
    legacy = ("/v1/people", "/v1/publications")
    return found | {path: {"GET"} for path in (*own, *legacy, PLATFORM + LANDING, "/console/console.js")}


@pytest.mark.parametrize("path", sorted(declared()))
async def test_the_methods_of_a_path(path: str, world: World) -> None:
    # The page where browsers land is no part of a contract, whose answers `world.client` judges.
    transport = httpx.ASGITransport(world.app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as bare:
        client = bare if path == PLATFORM + LANDING else world.client
        answers = {method: await client.request(method, path) for method in METHODS}
    refused = {method for method, answer in answers.items() if answer.status_code == 405}
    told = {answers[method].headers["allow"] for method in refused | {"OPTIONS"}}
    assert len(told) == 1, told
    allowed = set(told.pop().split(", "))
    assert declared()[path] <= allowed == set(METHODS) - refused
    # Whoever is not let in, or names what is not there, is told that: the path itself is there.
    for method in sorted(allowed):
        assert "nothing at this path" not in answers[method].text
    assert ("OPTIONS" in allowed) == (answers["OPTIONS"].status_code == 204)
    for answer in answers.values():
        assert answer.status_code not in (404, 500, 501), (path, answer.request.method)


@pytest.mark.parametrize("path", ["/", "/health/live", "/health/ready", "/metrics", "/console/console.js"])
async def test_what_has_no_key_is_asked_by_head(path: str, world: World) -> None:
    """Balancers and monitors ask so."""
    given, asked = await world.client.get(path), await world.client.head(path)
    assert asked.status_code == given.status_code == 200
    assert asked.headers["content-type"] == given.headers["content-type"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/graphql/nothing", f"{PLATFORM}/nothing", f"{V1}/nothing", f"{V2}/nothing"]
)
@pytest.mark.parametrize("method", [method for method in METHODS if method != "OPTIONS"])
async def test_a_path_that_is_not_there_takes_no_method(method: str, path: str, world: World) -> None:
    assert (await world.client.request(method, path)).status_code == 404
