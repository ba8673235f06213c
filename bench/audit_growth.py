"""What a longer audit history costs: to append, to verify, to read a page at its end."""

import asyncio
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from app.auth.principal import shell_principal
from app.database import Statement
from app.database.migrating import migrate
from app.ids import new_id, new_request_id
from app.settings import load_settings
from bench.calls import Times, times_of
from bench.databases import fresh
from bench.plots import draw
from services.audit import list_audit_events
from services.chain.verifying import verify_chain
from services.context import Context
from services.paging import KeysetRequest, cursor_of
from services.runtime import Runtime
from services.tenants import create_tenant

SIZES = (10, 1_000, 100_000)
HEAD = (
    "| events | on | append p50 ms | p99 ms | page p50 ms | p99 ms | verify s | a second |\n"
    "|---|---|---|---|---|---|---|---|"
)
_BATCH = 500


def run(server: str, folder: Path, results: Path, *, most: int, calls: int) -> str:
    """The table of all sizes up to `most`; draws `audit-*.svg`."""
    lines = [HEAD]
    for kind in ("SQLite", "PostgreSQL"):
        series: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for events in (size for size in SIZES if size <= most):
            with tempfile.TemporaryDirectory(dir=folder) as home, fresh(kind, server, folder, f"audit_{events}") as url:
                appended, pages, seconds = asyncio.run(_measure(Path(home), url, events, calls))
            lines.append(
                f"| {events:,} | {kind} | {appended.p50:.2f} | {appended.p99:.2f} | {pages.p50:.2f} | {pages.p99:.2f} "
                f"| {seconds:.3f} | {events / seconds:,.0f} |"
            )
            series["append, p99 ms"].append((events, appended.p99))
            series["page at the end, p99 ms"].append((events, pages.p99))
            series["verify, ms"].append((events, seconds * 1_000))
        draw(results / f"audit-{kind.lower()}.svg", f"Audit history on {kind}", "events of the tenant", "ms", series)
    return "\n".join(lines) + "\n"


async def _measure(home: Path, url: str, events: int, calls: int) -> tuple[Times, Times, float]:
    runtime = Runtime(load_settings({}, home=home, database_url=url))
    await migrate(runtime.database)
    await runtime.start()
    context = Context(runtime, shell_principal(new_id(), "bench"), "cli", new_request_id())
    await create_tenant(context, "bench", "Bench")
    for first in range(0, events, _BATCH):
        await _append(context, min(_BATCH, events - first))
    if runtime.database.dialect == "postgres":
        # What its own vacuum does within a minute: a long history is measured, not the minute after a flood.
        await runtime.database.execute(Statement("VACUUM ANALYZE"))
    appended = [await _timed_append(context) for _ in range(calls)]
    report_at = time.perf_counter()
    report = await verify_chain(runtime.database, runtime.audit_key, context.tenant, [])
    seconds = time.perf_counter() - report_at
    if report.faults or report.events < events:
        raise RuntimeError(f"the chain of {events} events has {report.events}, and faults: {report.faults[:3]}")
    pages = [await _timed_page(context) for _ in range(calls)]
    await runtime.stop()
    return times_of(appended), times_of(pages), seconds


async def _append(context: Context, count: int) -> None:
    """Write events in one transaction, and seal them."""
    entries = []
    for number in range(count):
        entry = context.entry("bench.appended", "allow")
        entry.resource, entry.resource_id, entry.after = "bench", str(number), '{"number":1}'
        entries.append(entry)
    await context.runtime.record(entries)
    await context.runtime.sealer.seal_all()


async def _timed_append(context: Context) -> float:
    start = time.perf_counter()
    await _append(context, 1)
    return time.perf_counter() - start


async def _timed_page(context: Context) -> float:
    """The page before the last, found from its cursor."""
    last = await list_audit_events(context, KeysetRequest(last=1))
    before = cursor_of(last, last.rows[0])
    start = time.perf_counter()
    await list_audit_events(context, KeysetRequest(last=100, before=before))
    return time.perf_counter() - start
