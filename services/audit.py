"""The audit history: listed, explained, exported, verified."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.clock import iso
from app.database import Row, Statement
from app.errors import NotFound, ValidationFailed
from services.chain.anchors import anchor_file, read_anchors
from services.chain.entries import FIELDS
from services.chain.verifying import ChainReport, verify_chain
from services.context import Context
from services.operations import operation
from services.paging import KeysetPage, KeysetRequest, Listing, Sort, keyset_page, statement

_COLUMNS = ", ".join(f"e.{name}" for name in FIELDS)
EVENTS = Listing(
    source="audit_seal s JOIN audit_event e ON e.id = s.event",
    columns=f"s.seq, s.prev, s.mac, {_COLUMNS}",
    sorts={"seq": Sort("s.seq", int)},
    default_sort="seq",
    filters={
        "action": "e.action = {action}",
        "outcome": "e.outcome = {outcome}",
        "installation": "e.installation = {installation}",
        "actor": "e.actor_id = {actor}",
        "request_id": "e.request_id = {request_id}",
        "since": "e.at >= {since}",
        "until": "e.at < {until}",
        "after_seq": "s.seq > {after_seq}",
    },
    id="s.event",
    tenant="s.tenant",
)
_EXPORT = Statement(
    f"SELECT s.seq, s.prev, s.mac, {_COLUMNS} FROM audit_seal s JOIN audit_event e ON e.id = s.event "  # noqa: S608
    "WHERE s.tenant = {tenant} AND s.seq > {after} AND e.at >= {since} AND e.at < {until} "
    "ORDER BY s.seq LIMIT {limit}"
)
_DECISION = Statement(
    f"SELECT {_COLUMNS} FROM audit_event e WHERE e.tenant = {{tenant}} AND e.request_id = {{request_id}} "  # noqa: S608
    "AND e.outcome = 'deny' ORDER BY e.id LIMIT 1"
)
_FOREVER = 2**62
_PAGE = 1_000
EXPORTED = ("seq", *FIELDS, "prev", "mac")


@operation(scope=Scope.AUDIT_READ, raises=[ValidationFailed])
async def list_audit_events(context: Context, request: KeysetRequest) -> KeysetPage:
    """List the tenant's audit events by their place in the chain."""
    return await keyset_page(context.database, context.tenant, EVENTS, request)


@operation(scope=Scope.AUDIT_READ)
async def get_audit_events(context: Context, events: list[UUID]) -> list[Row]:
    """The sealed events of these ids that the tenant has, in no order."""
    if not events:
        return []
    names = {f"event_{number}": event for number, event in enumerate(events)}
    wanted = ", ".join(f"{{{name}}}" for name in names)
    text = f"SELECT {EVENTS.columns} FROM {EVENTS.source} WHERE s.tenant = {{tenant}} AND s.event IN ({wanted})"  # noqa: S608
    return await context.database.fetch(statement(text), tenant=context.tenant, **names)


@operation(scope=Scope.AUDIT_READ, raises=[NotFound])
async def explain_decision(context: Context, request_id: str) -> dict[str, Any]:
    """Which rule refused a request, what it expected and what it saw."""
    decisions = context.runtime.decisions
    kept = decisions.known(request_id, context.tenant)
    if kept is None:
        rows = await context.database.fetch(_DECISION, tenant=context.tenant, request_id=request_id)
        if rows:
            return dict(rows[0])
        kept = await decisions.known_elsewhere(request_id, context.tenant)
    if kept is None:
        raise NotFound("No refusal is recorded for that request id.")
    return msgspec.structs.asdict(kept)


@operation(scope=Scope.AUDIT_READ)
async def verify_audit(context: Context) -> ChainReport:
    """Walk the tenant's chain and name every fault: edit, gap, reorder, and against the anchors a cut tail."""
    await context.runtime.sealer.seal_all()
    anchors = read_anchors(anchor_file(context.runtime.settings.home))
    return await verify_chain(context.database, context.runtime.audit_key, context.tenant, anchors)


@operation(scope=Scope.AUDIT_EXPORT, audit="audit.exported", writes=True, raises=[ValidationFailed])
async def export_audit(
    context: Context, format: Literal["ndjson", "csv"], since: int = 0, until: int = _FOREVER
) -> AsyncIterator[str]:
    """The chain as lines of NDJSON or CSV, from `since` until before `until` (ms since the epoch)."""
    if format not in ("ndjson", "csv"):
        raise ValidationFailed({"format": "must be ndjson or csv"})
    context.note("audit", format, after={"since": since, "until": until})
    return _lines(context, format, since, until)


async def _lines(context: Context, format: str, since: int, until: int) -> AsyncIterator[str]:
    if format == "csv":
        yield _csv_line(EXPORTED)
    after = 0
    while rows := await context.database.fetch(
        _EXPORT, tenant=context.tenant, after=after, since=since, until=until, limit=_PAGE
    ):
        for row in rows:
            values = {name: _plain(name, row[name]) for name in EXPORTED}
            yield _csv_line(values.values()) if format == "csv" else msgspec.json.encode(values).decode() + "\n"
        after = rows[-1]["seq"]


def _plain(name: str, value: Any) -> Any:
    if name in ("before", "after") and value is not None:
        return msgspec.Raw(value.encode())
    return str(value) if isinstance(value, UUID) else (iso(value) if name == "at" else value)


def _csv_line(values: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_cell(value) for value in values])
    return buffer.getvalue()


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    text = "" if value is None else bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
