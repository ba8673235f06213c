"""Calls that may change something elsewhere have their row before they are made; its end is written after.

So a call whose server is killed leaves its row. When it has surely ended, and nobody has said how, its outcome is
`unknown`: the other side may have done what it was asked.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from app.clock import SECOND
from app.database import Database, Statement
from app.ids import new_id
from services.chain.entries import COLUMNS
from services.context import Context
from services.integrations.instances.status import integrations_topic

OUTCOMES = ("success", "failed", "refused", "running", "unknown")
RUNNING, UNKNOWN = "running", "unknown"
EXECUTED, FAILED = "integration.method.executed", "integration.method.failed"
AUDITED = "integration_method.executed"
#: Beyond the deadline of a call: as long as its end may take to be written.
_BEYOND = 60 * SECOND
_MOST = 200
_BEGUN = ("instance", "method", "side_effect", "host", "request_id", "actor_kind", "actor_id", "surface", "at")
_ENDED = ("outcome", "code", "error", "host", "status_code", "latency_ms", "attempts", "response_bytes")
_INTERRUPTED = (
    "The server ended before the answer was recorded. Whether the other side did what it was asked is not known."
)
_COLUMNS = f"id, tenant, {', '.join(_BEGUN)}, outcome, latency_ms, attempts, running_until"
_VALUES = f"{{id}}, {{tenant}}, {', '.join(f'{{{name}}}' for name in _BEGUN)}, '{RUNNING}', 0, 1, {{until}}"
_BEGIN = Statement(f"INSERT INTO integration_execution ({_COLUMNS}) VALUES ({_VALUES})")  # noqa: S608 - own words
# PostgreSQL has the row, whatever becomes of this process; it does not wait for its disk, as it does for the end.
_BEGIN_POSTGRES = Statement(
    "WITH eased AS (SELECT set_config('synchronous_commit', 'off', true)) "  # noqa: S608 - own words
    f"INSERT INTO integration_execution ({_COLUMNS}) SELECT {_VALUES} FROM eased"
)
_IS = Statement("SELECT id FROM integration_execution WHERE id = {id}")
# Also one that was given up: who comes back late knows how it ended.
_END = Statement(
    f"UPDATE integration_execution SET {', '.join(f'{name} = {{{name}}}' for name in _ENDED)}, "  # noqa: S608
    f"running_until = NULL WHERE id = {{id}} AND outcome IN ('{RUNNING}', '{UNKNOWN}')"
)
# PostgreSQL takes the end and its event as one statement, and so as one transaction, in one round trip. What decides
# whether the event is still to be written is the same as in `end`.
_END_TOLD = Statement(
    f"WITH ended AS ({_END.template} RETURNING id), told AS (SELECT 1 WHERE EXISTS (SELECT 1 FROM ended) "  # noqa: S608
    "OR NOT EXISTS (SELECT 1 FROM integration_execution WHERE id = {id})), "
    f"event AS (INSERT INTO audit_event ({', '.join(COLUMNS)}) "
    f"SELECT {', '.join(f'{{event_{name}}}' for name in COLUMNS)} FROM told) "
    "INSERT INTO audit_pending (event, tenant) SELECT {event_id}, {event_tenant} FROM told"
)
_STALE = Statement(
    "SELECT id, tenant, instance, method, side_effect, host, attempts, latency_ms, request_id, actor_id, at "
    "FROM integration_execution WHERE running_until <= {now} ORDER BY running_until LIMIT {most}"
)
_GIVE_UP = Statement(
    f"UPDATE integration_execution SET outcome = '{UNKNOWN}', error = {{error}}, "  # noqa: S608
    f"running_until = NULL WHERE id = {{id}} AND outcome = '{RUNNING}'"
)


async def begin(database: Database, row: Mapping[str, Any], left: float) -> UUID:
    """Write the row of a call that is about to be made, and ends within `left` seconds; its id.

    Raises Unavailable: then the call is not to be made.
    """
    intent, until = new_id(), row["at"] + int(left * SECOND) + _BEYOND
    given = {name: row[name] for name in _BEGUN}
    beginning = _BEGIN_POSTGRES if database.dialect == "postgres" else _BEGIN
    await database.execute(beginning, id=intent, tenant=row["tenant"], until=until, **given)
    return intent


async def end(database: Database, intent: UUID, row: Mapping[str, Any]) -> bool:
    """Write how it ended; to be called in the transaction of its audit event.

    Whether the event is still to be written: not where an earlier try was committed without its being known. Where the
    instance is gone, the row is too, and the event is what remains.
    """
    if await database.execute(_END, id=intent, **{name: row[name] for name in _ENDED}):
        return True
    return not await database.fetch(_IS, id=intent)


async def end_told(database: Database, intent: UUID, row: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    """`end` and the columns of its audit event at once, on PostgreSQL."""
    given = {name: row[name] for name in _ENDED} | {f"event_{name}": value for name, value in event.items()}
    await database.execute(_END_TOLD, id=intent, **given)


async def give_up_stale(runtime: Any, context_of: Callable[[UUID], Context]) -> int:
    """Mark the calls of which nobody has said how they ended, each with its event in the audit history; how many."""
    rows = await runtime.database.fetch(_STALE, now=runtime.clock.now_ms(), most=_MOST)
    return sum([await _given_up(context_of(row["tenant"]), dict(row)) for row in rows])


async def _given_up(context: Context, row: dict[str, Any]) -> bool:
    row |= {"outcome": UNKNOWN, "error": _INTERRUPTED}

    async def mark() -> bool:
        if not await context.database.execute(_GIVE_UP, id=row["id"], error=_INTERRUPTED):
            return False
        names = ("method", "side_effect", "outcome", "attempts", "request_id", "actor_id", "at")
        after = {name: row[name] for name in names}
        context.note("integration_instance", row["instance"], action=AUDITED, after=after, outcome="error")
        return True

    if not await context.write(mark):
        return False
    shown = {name: value for name, value in row.items() if name not in ("id", "tenant", "actor_id")}
    message = {"code": None, "status_code": None, "response_bytes": None, **shown, "instance": str(row["instance"])}
    context.runtime.announce(integrations_topic(context.tenant), {"type": FAILED, **message})
    return True
