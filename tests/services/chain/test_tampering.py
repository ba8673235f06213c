"""Tampering is found: edit, gap, reorder, insertion, and against an anchor a cut tail. The database refuses first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.database import Statement
from app.ids import new_id
from services.chain.anchors import anchor_file, read_anchors, take_anchors
from services.chain.verifying import ChainReport, verify_chain
from tests.resilience.serving import alone
from tests.world import World

pytestmark = pytest.mark.resilience


class Forger:
    """Somebody with the database in hand, its append-only triggers dropped, and no key."""

    def __init__(self, world: World) -> None:
        self.world, self.database = world, world.runtime.database

    async def run(self, sql: str, **params: Any) -> int:
        return int(await self.database.execute(Statement(sql), **params))

    async def rows(self, sql: str, **params: Any) -> list[Any]:
        return list(await self.database.fetch(Statement(sql), **params))

    async def drop_triggers(self) -> None:
        if self.database.dialect == "sqlite":
            for row in await self.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                await self.run(f'DROP TRIGGER "{row["name"]}"')
            return
        found = await self.rows(
            "SELECT tgname, tgrelid::regclass::text AS place FROM pg_trigger WHERE NOT tgisinternal"
        )
        for row in found:
            await self.run(f'DROP TRIGGER "{row["tgname"]}" ON {row["place"]}')

    async def seal_at(self, seq: int) -> Any:
        sql = "SELECT * FROM audit_seal WHERE tenant = {tenant} AND seq = {seq}"
        return (await self.rows(sql, tenant=self.world.tenant, seq=seq))[0]

    async def report(self) -> ChainReport:
        settings = self.world.app.settings
        anchors = read_anchors(anchor_file(settings.home))
        return await verify_chain(self.database, self.world.runtime.audit_key, self.world.tenant, anchors)

    async def faults(self) -> list[tuple[str, int]]:
        return [(fault.kind, fault.seq) for fault in (await self.report()).faults]


@pytest.fixture
async def forger(engine: str, tmp_path: Path) -> AsyncIterator[Forger]:
    """A tenant with some ten sealed events, anchored."""
    async with alone(engine, tmp_path) as world:
        for _ in range(3):
            await world.key((await world.installation())["id"])
        await world.runtime.sealer.seal_all()
        forger = Forger(world)
        assert (await forger.report()).faults == [] and (await forger.report()).events > 9
        settings = world.app.settings
        await take_anchors(world.runtime.database, world.runtime.clock, anchor_file(settings.home))
        yield forger


WRITES = [
    "UPDATE audit_event SET action = 'x' WHERE tenant = {tenant}",
    "DELETE FROM audit_event WHERE tenant = {tenant}",
    "UPDATE audit_seal SET seq = seq + 1000 WHERE tenant = {tenant}",
    "DELETE FROM audit_seal WHERE tenant = {tenant}",
]


@pytest.mark.parametrize("sql", WRITES)
async def test_the_history_only_grows(sql: str, world: World) -> None:
    """The database itself refuses to change or delete an event or a seal, whoever asks."""
    await world.installation()
    await world.runtime.sealer.seal_all()
    with pytest.raises(Exception, match="audit"):
        await world.runtime.database.execute(Statement(sql), tenant=world.tenant)
    report = await verify_chain(world.runtime.database, world.runtime.audit_key, world.tenant, [])
    assert report.faults == [] and report.events


async def _edit(f: Forger) -> None:
    seal = await f.seal_at(4)
    await f.run("UPDATE audit_event SET actor_name = 'somebody else' WHERE id = {id}", id=seal["event"])


async def _edit_time(f: Forger) -> None:
    seal = await f.seal_at(4)
    await f.run("UPDATE audit_event SET at = at - 1 WHERE id = {id}", id=seal["event"])


async def _other_tenant(f: Forger) -> None:
    seal = await f.seal_at(4)
    await f.run("UPDATE audit_event SET tenant = {other} WHERE id = {id}", other=new_id(), id=seal["event"])


async def _gap(f: Forger) -> None:
    seal = await f.seal_at(4)
    await f.run("DELETE FROM audit_seal WHERE event = {id}", id=seal["event"])
    await f.run("DELETE FROM audit_event WHERE id = {id}", id=seal["event"])


async def _closed_gap(f: Forger) -> None:
    await _gap(f)
    for seq in range(5, 100):
        sql = "UPDATE audit_seal SET seq = {to} WHERE tenant = {tenant} AND seq = {seq}"
        if not await f.run(sql, tenant=f.world.tenant, seq=seq, to=seq - 1):
            break


async def _reorder(f: Forger) -> None:
    sql = "UPDATE audit_seal SET seq = {to} WHERE tenant = {tenant} AND seq = {seq}"
    for seq, to in ((4, 1_000), (5, 4), (1_000, 5)):
        await f.run(sql, tenant=f.world.tenant, seq=seq, to=to)


async def _swap_events(f: Forger) -> None:
    four, five, parked = await f.seal_at(4), await f.seal_at(5), await f.seal_at(1)
    sql = "UPDATE audit_seal SET prev = {prev}, mac = {mac} WHERE event = {event}"
    await f.run(sql, event=four["event"], prev=five["prev"], mac=five["mac"])
    await f.run(sql, event=five["event"], prev=four["prev"], mac=four["mac"])
    assert parked is not None


async def _lost_event(f: Forger) -> None:
    seal = await f.seal_at(4)
    if f.database.dialect == "sqlite":
        await f.run("PRAGMA foreign_keys = OFF")
        await f.run("DELETE FROM audit_event WHERE id = {id}", id=seal["event"])
        await f.run("PRAGMA foreign_keys = ON")
    else:
        await f.run("ALTER TABLE audit_seal DROP CONSTRAINT IF EXISTS audit_seal_event_fkey")
        await f.run("DELETE FROM audit_event WHERE id = {id}", id=seal["event"])


async def _unsealed(f: Forger) -> None:
    seal = await f.seal_at(4)
    await f.run("DELETE FROM audit_seal WHERE event = {id}", id=seal["event"])


async def _cut(f: Forger) -> None:
    """Take the last three events out and put the head back, as if they had never been."""
    head = (await f.rows("SELECT seq FROM audit_head WHERE tenant = {tenant}", tenant=f.world.tenant))[0]["seq"]
    gone = [(await f.seal_at(seq))["event"] for seq in range(head - 2, head + 1)]
    for event in gone:
        await f.run("DELETE FROM audit_seal WHERE event = {id}", id=event)
        await f.run("DELETE FROM audit_event WHERE id = {id}", id=event)
    last = await f.seal_at(head - 3)
    sql = "UPDATE audit_head SET seq = {seq}, mac = {mac} WHERE tenant = {tenant}"
    await f.run(sql, tenant=f.world.tenant, seq=last["seq"], mac=last["mac"])


async def _cut_only(f: Forger) -> None:
    head = (await f.rows("SELECT seq FROM audit_head WHERE tenant = {tenant}", tenant=f.world.tenant))[0]["seq"]
    seal = await f.seal_at(head)
    await f.run("DELETE FROM audit_seal WHERE event = {id}", id=seal["event"])
    await f.run("DELETE FROM audit_event WHERE id = {id}", id=seal["event"])


async def _no_head(f: Forger) -> None:
    await f.run("DELETE FROM audit_head WHERE tenant = {tenant}", tenant=f.world.tenant)


async def _everything(f: Forger) -> None:
    for table in ("audit_seal", "audit_event", "audit_head"):
        await f.run(f"DELETE FROM {table} WHERE tenant = {{tenant}}", tenant=f.world.tenant)


Deed = Callable[[Forger], Awaitable[None]]
#: What is done → a fault that must be among those found, and its place where that is known.
DEEDS: dict[str, tuple[Deed, str, int | None]] = {
    "an edit": (_edit, "edited", 4),
    "another time": (_edit_time, "edited", 4),
    "another tenant's": (_other_tenant, "edited", 4),
    "a gap": (_gap, "gap", 5),
    "a gap that was closed": (_closed_gap, "reordered", 4),
    "another order": (_reorder, "reordered", 4),
    "swapped events": (_swap_events, "broken", 4),
    "a lost event": (_lost_event, "missing", 4),
    "an event out of the chain": (_unsealed, "unsealed", None),
    "a cut tail": (_cut, "cut", None),
    "a cut tail with its head left": (_cut_only, "cut", None),
    "no head": (_no_head, "cut", None),
    "everything gone": (_everything, "cut", None),
}


@pytest.mark.parametrize(("deed", "kind", "seq"), DEEDS.values(), ids=DEEDS.keys())
async def test_a_deed_is_found(deed: Deed, kind: str, seq: int | None, forger: Forger) -> None:
    """Each deed is named as what it is, and where it is."""
    await forger.drop_triggers()
    await deed(forger)
    found = await forger.faults()
    assert kind in [fault for fault, _ in found], found
    assert seq is None or (kind, seq) in found, found


async def test_a_cut_tail_needs_the_anchor(forger: Forger) -> None:
    """Whoever rewinds head and tail alike leaves a chain that is right in itself: only the anchor knows better."""
    await forger.drop_triggers()
    await _cut(forger)
    bare = await verify_chain(forger.database, forger.world.runtime.audit_key, forger.world.tenant, [])
    assert bare.faults == []
    assert [kind for kind, _ in await forger.faults()] == ["cut"]


async def test_a_rewritten_chain_needs_the_key(forger: Forger) -> None:
    """With another key nothing verifies: who has the database but not the key cannot make a chain."""
    report = await verify_chain(forger.database, b"x" * 32, forger.world.tenant, [])
    assert {fault.kind for fault in report.faults} >= {"edited", "broken"}


async def test_a_forged_event_that_waits_is_found_once_sealed(forger: Forger) -> None:
    """An event that was edited before its seal is sealed as it is, and its own mac tells."""
    await forger.drop_triggers()
    sql = "UPDATE audit_event SET actor_id = 'x' WHERE tenant = {tenant} AND id IN (SELECT event FROM audit_pending)"
    async with forger.world.runtime.sealer._turn:  # else the sealer may be quicker than the forger
        await forger.world.installation(verified=False)
        assert await forger.run(sql, tenant=forger.world.tenant)
    await forger.world.runtime.sealer.seal_all()
    assert "edited" in [kind for kind, _ in await forger.faults()]


async def test_chains_are_a_tenants_own(forger: Forger) -> None:
    """What is done to one tenant's chain leaves the others whole."""
    other = await World(forger.world.app, forger.world.client).open()
    await other.installation()
    await forger.world.runtime.sealer.seal_all()
    await forger.drop_triggers()
    await _edit(forger)
    report = await verify_chain(forger.database, other.runtime.audit_key, other.tenant, [])
    assert report.faults == [] and report.events


async def test_anchors_are_taken_where_a_chain_has_grown(forger: Forger) -> None:
    """A chain that stands still gets no second anchor; one that grew gets its new end."""
    runtime, path = forger.world.runtime, anchor_file(forger.world.app.settings.home)
    assert await take_anchors(runtime.database, runtime.clock, path) == []
    await forger.world.installation()
    await runtime.sealer.seal_all()
    [anchor] = await take_anchors(runtime.database, runtime.clock, path)
    assert anchor.tenant == forger.world.tenant
    assert anchor.seq == (await forger.report()).events
