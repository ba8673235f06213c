"""10,000 random and hostile requests on `/integrations/v1`: no 5xx, and nothing of the inside in any answer."""

import json
import re
from pathlib import Path

import pytest

from services.people.records import FullRecord
from tests.contract.generated import generated
from tests.resilience.raw_requests import Answer, Attacker, Raw, from_call, send
from tests.resilience.serving import alone
from tests.runtime.records import made, person, publication, work
from tests.world import World

pytestmark = pytest.mark.resilience
SEED = 20_260_422
REQUESTS = 9_500
#: Words that only the inside knows. An answer that is no error may echo the caller's own `q`.
INSIDE = re.compile(
    rb"Traceback|File \"|\.py\b|SELECT |INSERT |FROM person|sqlite|asyncpg|postgres|piccolo|litestar|msgspec|Exception|"
    rb"0x[0-9a-f]{8,}|/work/|site-packages",
    re.IGNORECASE,
)


def judge(request: Raw, answer: Answer) -> None:
    """An answer of the contract, whatever was asked."""
    told = f"{request.method} {request.target[:200]!r} {request.headers[:4]!r}: {answer.status} {answer.body[:300]!r}"
    assert answer.status < 500, told
    assert len(answer.headers.get("x-request-id", "")) >= 8, told
    if answer.status >= 400 and request.method != "HEAD":
        assert answer.headers["content-type"] == "application/json", told
        body = json.loads(answer.body)
        assert set(body) in ({"error", "code", "details"}, {"success", "error", "meta"}), told
        assert not INSIDE.search(answer.body), told


async def filled(world: World) -> tuple[list[str], str]:
    """Rows to find, keys to come in with, and an origin of theirs."""
    from services.people.importing import import_records

    records = [FullRecord(person(n), made([publication(n)], [work(n)])) for n in range(1, 40)]
    await import_records(world.context(), records)
    installation = await world.installation(verified=False, rate_limit_per_minute=100_000, rate_limit_burst=100_000)
    origin = await world.origin(installation["id"])
    issued = [await world.key(installation["id"], scopes) for scopes in (["people.read"], ["works.read"])]
    full = await world.key(installation["id"])
    return [str(key.secret) for key in issued] + [str(full.secret)] * 6, origin["origin"]


async def test_hostile_requests(engine: str, tmp_path: Path) -> None:
    """Hand-written hostility and the document's own cases, from fixed seeds: 10,000 on each engine."""
    async with alone(engine, tmp_path) as world:
        keys, origin = await filled(world)
        attacker, served = Attacker(SEED, keys, origin), 0
        requests = [attacker.request() for _ in range(REQUESTS)]
        for number, call in enumerate(generated("integrations", "v1", 50)):
            call["headers"].pop("X-API-Key", None) if number % 3 else None
            extra = [(b"x-api-key", keys[-1].encode())] if number % 3 else []
            requests.append(from_call(call, extra))
        for request in requests:
            answer = await send(world.app, request)
            judge(request, answer)
            served += answer.status == 200
        assert len(requests) > 10_000
        assert served > len(requests) // 10, "most attacks stop at the door; enough must come through it"
        # After all that the service is as it was.
        found = await world.get("/people?per_page=100", keys[-1])
        assert found.json()["total"] == 39


@pytest.mark.parametrize("size", [1_000, 100_000, 1_000_000])
async def test_large_keys(size: int, world: World) -> None:
    """A key of any size is an unknown one, at once and without being stored."""
    for key in (b"x" * size, b"dvt_live_" + b"a" * size, b"\xff" * size):
        answer = await send(world.app, Raw("GET", b"/integrations/v1/people", [(b"x-api-key", key)]))
        assert (answer.status, json.loads(answer.body)["code"]) == (401, "invalid_installation_credential")


async def test_a_streamed_body_without_a_length(world: World) -> None:
    """10 MB in chunks, with no length told, are not read into memory for a GET and do no harm."""
    key = await world.ready_key()
    request = Raw("GET", b"/integrations/v1/people", [(b"x-api-key", key.encode())], b"x" * 10_000_000)
    assert (await send(world.app, request)).status == 200
    request = request._replace(method="POST")
    assert (await send(world.app, request)).status == 405
