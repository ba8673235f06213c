"""A refusal that one process gave is explained by another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import pytest

from app.bus import MemoryBus
from app.clock import SYSTEM_CLOCK
from app.ids import new_id
from services.chain import decisions
from services.chain.decisions import Decisions
from services.chain.denials import Denials
from services.chain.entries import Entry


def refusal(tenant: UUID, request_id: str) -> Entry:
    return Entry(
        tenant=tenant, at=1, actor_kind="installation", actor_id="i", surface="rest", action="auth.scope_denied",
        outcome="deny", request_id=request_id, installation=new_id(), code="installation_scope_denied", rule="scope",
    )  # fmt: skip


@asynccontextmanager
async def processes(*, shared: bool) -> AsyncIterator[tuple[Denials, Decisions]]:
    """What one process refuses with, and what another one asks with."""

    async def write(_: list[Entry]) -> None: ...

    bus, denials = MemoryBus(), Denials(SYSTEM_CLOCK, write)
    refusing = Decisions(denials, bus, shared=shared)
    listening = asyncio.create_task(refusing.listen())
    await asyncio.sleep(0)
    yield denials, Decisions(Denials(SYSTEM_CLOCK, write), bus, shared=shared)
    assert listening.done() == (not shared)
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening


async def test_another_process_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "SECONDS", 30.0)
    tenant = new_id()
    async with processes(shared=True) as (denials, asking):
        given = [refusal(tenant, f"req_{number}") for number in range(3)]
        for entry in given:
            await denials.record(entry)
        for entry in given:
            assert asking.known(entry.request_id, tenant) is None
            assert await asking.known_elsewhere(entry.request_id, tenant) == entry


async def test_nobody_else_is_told() -> None:
    """Not another tenant, and nothing of what no process knows; the wait for it ends."""
    async with processes(shared=True) as (denials, asking):
        await denials.record(refusal(new_id(), "req_theirs"))
        async with asyncio.timeout(60):
            assert await asking.known_elsewhere("req_theirs", new_id()) is None
            assert await asking.known_elsewhere("req_nobody", new_id()) is None


async def test_one_process_asks_nobody() -> None:
    tenant = new_id()
    async with processes(shared=False) as (denials, asking):
        await denials.record(refusal(tenant, "req_1"))
        assert await asking.known_elsewhere("req_1", tenant) is None
