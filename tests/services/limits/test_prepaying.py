"""Page 1 pays for the pages that follow, whatever others take meanwhile; what the budget does not hold is owed."""

from __future__ import annotations

from typing import Any, cast

import pytest

from app.clock import SettableClock
from app.ids import new_id
from app.settings import load_settings
from services.access.gate import Approach, Gate
from services.access.keys import Opened
from services.limits import Limiter
from services.walks import MemoryWalks


def _opened(burst: int) -> Opened:
    return Opened(
        credential=new_id(), tenant=new_id(), installation=new_id(), kid="k", label="L", scopes=frozenset(),
        status="active", expires_at=None, rotated_at=None, installation_status="active", per_minute=1, burst=burst,
        origins=frozenset(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pages", "taken_meanwhile", "left", "owed"),
    [(5, 0, 5, 0), (5, 7, 0, 2), (5, 9, 0, 4), (5, 3, 2, 0), (50, 0, 0, 40), (50, 6, 0, 46), (1, 3, 6, 0)],
)
async def test_page_one_pays(pages: int, taken_meanwhile: int, left: int, owed: int) -> None:
    """Of a budget of 10, page 1 has taken 1; then others take theirs, and the header says what remains."""
    clock, limiter, opened = SettableClock(), Limiter(), _opened(burst=10)
    gate = Gate(
        keys=cast("Any", None), denials=cast("Any", None), limiter=limiter, settings=load_settings({}), clock=clock,
        walks=MemoryWalks(clock, ceiling=100, seconds=60),
    )  # fmt: skip
    approach = Approach(
        api_key=None, origin=None, address="", surface="integrations/v1", request_id="r", operation="list_people",
        walk="/people?", opened=opened,
    )  # fmt: skip
    name = f"integrations:{opened.installation}"
    approach.verdict = await limiter.hit(name, 1, 10)
    if taken_meanwhile:
        assert (await limiter.hit(name, 1, 10, cost=taken_meanwhile)).admitted
    await gate.reserve(approach, pages)
    seen = await limiter.peek(name, 1, 10)
    assert (seen.remaining, max(0, round(seen.reset_after / 60) - 10)) == (left, owed)
    assert approach.verdict.admitted
    # A list of one page asks for no more, and tells what it was told.
    assert approach.verdict.remaining == (left if pages > 1 else 9)
