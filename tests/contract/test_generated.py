"""Every version of every REST contract against its own snapshot: whatever is sent, it answers as promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.ids import new_id
from tests.contract.answers import EVERY
from tests.contract.generated import generated
from tests.runtime.records import made, person, publication, work
from tests.world import World

pytestmark = pytest.mark.contract
#: Requests of one caller before the next takes its place, so that no rate limit ends the test.
_OF_ONE_CALLER = 50
_SENT = ("params", "json", "data", "content")


async def _key(world: World) -> dict[str, str]:
    installation = await world.installation(rate_limit_per_minute=100_000, rate_limit_burst=100_000)
    return {"X-API-Key": str((await world.key(installation["id"])).secret)}


async def _token(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.token('admin', user_id=f'user-{new_id()}')}"}


#: API → what its callers present.
CREDENTIALS: dict[str, Callable[[World], Any]] = {"integrations": _key, "platform": _token}


def _arguments(call: dict[str, Any], credential: dict[str, str]) -> dict[str, Any]:
    given = {name.lower(): value for name, value in (call.get("headers") or {}).items()}
    given |= {name.lower(): value for name, value in credential.items()}
    headers = {name: str(value).encode("utf-8", "surrogateescape") for name, value in given.items()}
    sent = {name: call[name] for name in _SENT if call.get(name) is not None}
    if isinstance(sent.get("data"), (bytes, str)):
        sent["content"] = sent.pop("data")
    return {"method": call["method"], "url": call["url"], "headers": headers, **sent}


@pytest.mark.parametrize(("api", "version"), EVERY, ids=lambda name: name)
async def test_generated_requests(api: str, version: str, world: World) -> None:
    """Never a 5xx; a documented status and body for each; some are right, some are wrong, some are nowhere."""
    for n in range(1, 6):
        await world.people(person(n), works=made([publication(n)], [work(n)]))
    calls = generated(api, version, 20)
    statuses: Counter[int] = Counter()
    for number, call in enumerate(calls):
        if number % _OF_ONE_CALLER == 0:
            credential = await CREDENTIALS[api](world)
        try:
            request = world.client.build_request(**_arguments(call, credential))
        except (httpx.InvalidURL, UnicodeError, ValueError):
            continue  # no client would send it
        answer = await world.client.send(request)
        assert answer.status_code < 500, (call, answer.text)
        if answer.request.method not in ("OPTIONS", "TRACE", "CONNECT"):
            EVERY[api, version].check(answer)
        statuses[answer.status_code] += 1
    assert sum(statuses.values()) > 0.9 * len(calls)
    assert {200, 400} <= set(statuses), statuses
