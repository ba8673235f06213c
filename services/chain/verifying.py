"""Reading a chain back: edit, gap, reorder, and, against an anchor, a cut tail."""

from typing import Any
from uuid import UUID

import msgspec

from app.database import Database, Statement
from services.chain.entries import COLUMNS, canonical, event_fields, mac
from services.chain.sealing import link

_PAGE = 1_000
_COLUMNS = ", ".join(f"e.{name}" for name in COLUMNS)
_CHAIN = Statement(
    f"SELECT s.seq, s.prev, s.mac, s.event, {_COLUMNS} FROM audit_seal s "  # noqa: S608 - our own columns
    "LEFT JOIN audit_event e ON e.id = s.event "
    "WHERE s.tenant = {tenant} AND s.seq > {after} ORDER BY s.seq LIMIT {limit}"
)
_HEAD = Statement("SELECT seq, mac FROM audit_head WHERE tenant = {tenant}")
_STRAYS = Statement(
    "SELECT e.id FROM audit_event e WHERE e.tenant = {tenant} "
    "AND NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.event = e.id) "
    "AND NOT EXISTS (SELECT 1 FROM audit_pending p WHERE p.event = e.id) LIMIT 20"
)


class Anchor(msgspec.Struct, frozen=True):
    """The end of a chain as it was seen once, kept where the database's owner cannot rewrite it."""

    tenant: UUID
    seq: int
    mac: str
    at: int


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong with a chain; `seq` is where."""

    tenant: UUID
    seq: int
    kind: str
    text: str


class ChainReport(msgspec.Struct):
    tenant: UUID
    events: int
    head: str
    faults: list[Fault]


def _faults_of(row: Any, key: bytes, expected_seq: int, prev: str) -> list[tuple[str, str]]:
    faults = []
    if row["seq"] != expected_seq:
        faults.append(("gap", f"seq {expected_seq} is missing, {row['seq']} follows"))
    if row["id"] is None:
        return [*faults, ("missing", "the sealed event is not there")]
    fields = event_fields(row)
    if mac(key, canonical(fields)) != row["entry_mac"]:
        faults.append(("edited", "the event's fields do not match its mac"))
    if row["prev"] != prev:
        faults.append(("reordered", "the seal does not follow the one before it"))
    if link(key, fields, row["seq"], row["prev"]) != row["mac"]:
        faults.append(("broken", "the seal's mac does not cover this event at this place"))
    return faults


async def verify_chain(database: Database, key: bytes, tenant: UUID, anchors: list[Anchor]) -> ChainReport:
    """Walk a tenant's chain from its start; every fault with its place, in order."""
    report = ChainReport(tenant, 0, "", [])
    expected, last = 1, 0
    marks = {anchor.seq: anchor for anchor in anchors if anchor.tenant == tenant}
    while rows := await database.fetch(_CHAIN, tenant=tenant, after=last, limit=_PAGE):
        for row in rows:
            found = _faults_of(row, key, expected, report.head)
            if row["seq"] in marks and marks[row["seq"]].mac != row["mac"]:
                found.append(("anchor", "the seal is not the one that was anchored"))
            report.faults += [Fault(tenant, row["seq"], kind, text) for kind, text in found]
            report.events, report.head, last, expected = report.events + 1, row["mac"], row["seq"], row["seq"] + 1
    report.faults += await _end_faults(database, tenant, last, report.head, list(marks.values()))
    return report


async def _end_faults(database: Database, tenant: UUID, last: int, mac_seen: str, marks: list[Anchor]) -> list[Fault]:
    faults = [
        Fault(tenant, mark.seq, "cut", f"the chain was anchored at seq {mark.seq} and now ends at {last}")
        for mark in marks
        if mark.seq > last
    ]
    heads = await database.fetch(_HEAD, tenant=tenant)
    head = (heads[0]["seq"], heads[0]["mac"]) if heads else (0, "")
    if head != (last, mac_seen):
        faults.append(Fault(tenant, last, "cut", f"the head stands at seq {head[0]}, the chain ends at {last}"))
    for row in await database.fetch(_STRAYS, tenant=tenant):
        faults.append(Fault(tenant, last, "unsealed", f"event {row['id']} is in no chain and waits for none"))
    return faults
