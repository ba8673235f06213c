"""The ORCID client against a real server that answers as ORCID does, and as it does on a bad day."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.clock import SettableClock, http_date
from app.egress import Egress
from app.errors import ValidationFailed
from services.people.client import (
    OrcidClient,
    OrcidNotFound,
    OrcidRefused,
    OrcidUnavailable,
    retry_after,
)
from services.people.records import RecordUnreadable
from tests.egress.servers import serving

DATA = Path(__file__).parents[2] / "data" / "orcid" / "v3.0"
CARL = "0000-0002-1642-628X"
PETER = "0000-0002-9341-7985"
ROUTE = "/v3.0/{orcid}/{part}"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    egress = Egress(("127.0.0.1",))
    yield egress
    await egress.close()


def recorded(path: str, status: int = 200, **headers: str) -> web.Response:
    body = (DATA / path).read_bytes()
    return web.Response(body=body, status=status, content_type="application/vnd.orcid+json", headers=headers)


class Sequence:
    """Answers with the next of its responses, and with the last for ever."""

    def __init__(self, *responses: Callable[[], web.Response]) -> None:
        self.responses = responses
        self.requests: list[web.Request] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return self.responses[min(len(self.requests), len(self.responses)) - 1]()


def status(code: int, **headers: str) -> Callable[[], web.Response]:
    return lambda: web.Response(status=code, headers=headers)


def good() -> web.Response:
    return recorded(f"{CARL}/person.json")


class Sleeps(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


async def test_people_and_works_are_read(egress: Egress) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Accept"] == "application/vnd.orcid+json, application/json;q=0.9"
        return recorded(f"{request.match_info['orcid']}/{request.match_info['part']}.json")

    async with serving({ROUTE: answer}) as base:
        client = OrcidClient(egress, f"{base}/v3.0/")
        assert (await client.fetch_person(CARL.lower())).name == "Carl Boettiger"
        found = await client.fetch_works(PETER)
    assert (len(found.publications), len(found.works)) == (4, 4)


async def test_an_unknown_id_is_not_found_at_once(egress: Egress) -> None:
    handler = Sequence(lambda: recorded("not-found.404.json", 404))
    async with serving({ROUTE: handler}) as base:
        with pytest.raises(OrcidNotFound, match=CARL):
            await OrcidClient(egress, base).fetch_person(CARL)
    assert len(handler.requests) == 1


async def test_a_refusal_carries_what_orcid_says(egress: Egress) -> None:
    handler = Sequence(lambda: recorded("bad-request.400.json", 400), status(403))
    async with serving({ROUTE: handler}) as base:
        client = OrcidClient(egress, base)
        with pytest.raises(OrcidRefused, match=r"400: The client application made a bad request"):
            await client.fetch_person(CARL)
        with pytest.raises(OrcidRefused, match=r"403\.$"):
            await client.fetch_person(CARL)


@pytest.mark.parametrize(
    ("handler", "slept"),
    [
        (Sequence(status(429, **{"Retry-After": "7"}), good), [7]),
        (Sequence(status(503, **{"Retry-After": "9999"}), good), [120]),
        (Sequence(status(429, **{"Retry-After": http_date(SettableClock().now_ms() + 30_000)}), good), [30]),
        (Sequence(status(429, **{"Retry-After": "soon"}), status(500), status(502), good), None),
        (Sequence(status(500, **{"Retry-After": "7"}), lambda: recorded("server-error.500.json", 500), good), None),
    ],
)
async def test_bad_days_pass(egress: Egress, handler: Sequence, slept: list[float] | None) -> None:
    """Retry-After of 429 and 503 is obeyed up to two minutes; all else backs off, growing."""
    sleeps = Sleeps()
    async with serving({ROUTE: handler}) as base:
        client = OrcidClient(egress, base, clock=SettableClock(), sleep=sleeps)
        assert (await client.fetch_person(CARL)).name == "Carl Boettiger"
    if slept is not None:
        assert sleeps == slept
    else:
        assert list(sleeps) == sorted(sleeps)
        assert max(sleeps) <= 2.5


async def test_it_gives_up_after_four_tries(egress: Egress) -> None:
    handler, sleeps = Sequence(status(500)), Sleeps()
    async with serving({ROUTE: handler}) as base:
        with pytest.raises(OrcidUnavailable, match="status 500"):
            await OrcidClient(egress, base, sleep=sleeps).fetch_works(CARL)
    assert (len(handler.requests), len(sleeps)) == (4, 3)
    with pytest.raises(OrcidUnavailable, match="no connection"):
        await OrcidClient(egress, base, sleep=sleeps).fetch_works(CARL)
    assert len(sleeps) == 6


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b"\xff", b'{"name":', b"[]", b"{}"])
async def test_what_is_no_record_is_unreadable(egress: Egress, body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="text/html")

    async with serving({ROUTE: answer}) as base:
        client = OrcidClient(egress, base)
        for fetch in (client.fetch_person, client.fetch_works):
            with pytest.raises(RecordUnreadable):
                await fetch(CARL)


async def test_no_more_requests_than_allowed_are_in_flight(egress: Egress) -> None:
    flying = most = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.02)
        flying -= 1
        return recorded(f"{CARL}/person.json")

    async with serving({ROUTE: answer}) as base:
        client = OrcidClient(egress, base, concurrency=3)
        await asyncio.gather(*(client.fetch_person(CARL) for _ in range(12)))
    assert most == 3


async def test_the_guard_and_the_check_digit_come_first(egress: Egress) -> None:
    closed = Egress()
    with pytest.raises(OrcidRefused, match="public Internet"):
        await OrcidClient(closed, "http://127.0.0.1:1").fetch_person(CARL)
    await closed.close()
    with pytest.raises(ValidationFailed):
        await OrcidClient(egress, "http://127.0.0.1:1").fetch_person("../0000-0002-1642-628X")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("0", 0),
        ("9" * 400, 120),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
def test_retry_after(header: Any, seconds: float | None) -> None:
    assert retry_after(header, 1_762_050_000_000) == seconds
