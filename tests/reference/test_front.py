"""`/`: a page for a browser, JSON for a program, and a cache that knows both apart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.headers import prefers
from rest.contracts.registry import APIS
from tests.world import World

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("TEXT/HTML", True),
        ("text/html;level=1;q=0.5, */*;q=0.4", True),
        ("text/*", True),
        ("application/json;q=0.5, text/html", True),
        (None, False),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/html, application/json", False),
        ("application/json, text/html", False),
        ("text/html;q=0, */*", False),
        ("text/html ; q=0.5, application/json", False),
        ("image/png", False),
        ("text/html;q=1e400, application/json", False),
        (";;,q=1", False),
    ],
)
def test_what_is_wanted(accept: str | None, html: bool) -> None:
    assert prefers(accept, "text/html", "application/json") is html


@given(st.text(st.characters(codec="latin-1")))
def test_nothing_that_is_sent_is_too_odd(accept: str) -> None:
    assert not (prefers(accept, "text/html", "text/plain") and prefers(accept, "text/plain", "text/html"))


async def test_a_browser_gets_a_page(world: World) -> None:
    """Under the policy of the reference pages, without a script that it would need."""
    answer = await world.client.get("/", headers={"Accept": BROWSER})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert policy == (await world.client.get("/docs")).headers["content-security-policy"] and "unsafe" not in policy
    assert (answer.headers["vary"], answer.headers["cache-control"]) == ("Accept", "no-cache")
    again = await world.client.get("/", headers={"Accept": BROWSER, "If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["vary"]) == (304, b"", "Accept")


async def test_every_link_of_the_page_is_served(world: World) -> None:
    page = (await world.client.get("/", headers={"Accept": BROWSER})).text
    links = set(re.findall(r'<a href="(/[^"]*)"', page))
    contracts = {f"/docs/{name}/{version}" for name, api in APIS.items() for version in api.names}
    assert links >= {"/graphql", "/docs", "/docs/graphql", "/docs/errors", "/docs/changelog", *contracts}
    assert links >= {"/health/live", "/health/ready", "/metrics"}
    for link in links:
        assert (await world.client.get(link)).status_code == 200, link
    for api in APIS.values():
        for version in api.names:
            assert f"{api.prefix}/{version}" in page


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
async def test_a_program_gets_json(accept: str, world: World) -> None:
    answer = await world.client.get("/", headers={"Accept": accept})
    assert (answer.headers["content-type"], answer.headers["vary"]) == ("application/json", "Accept")
    assert answer.json() == {
        "service": "dovetail", "graphql": "/graphql", "contract": "/integrations/v1/openapi.json", "docs": "/docs",
        "health": "/health/ready",
    }  # fmt: skip
