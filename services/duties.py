"""What the server does by itself: seal, flush, re-check, expire, anchor. Each duty in a loop of its own."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple
from uuid import UUID

import structlog

from app.auth.principal import system_principal
from app.clock import DAY, MINUTE
from app.endings import told_to_end
from app.errors import NotFound, Unavailable
from app.ids import new_request_id
from services.chain.anchors import anchor_file, take_anchors
from services.changes import forget_tombstones
from services.context import Context
from services.credentials import expire_credentials
from services.integrations.execution.health import check_due
from services.integrations.execution.intents import give_up_stale
from services.integrations.execution.ledger import FLUSH_SECONDS as EXECUTIONS_FLUSH
from services.integrations.instances.configs import seal_configs
from services.integrations.oauth2.idle import EVERY_SECONDS, refresh_idle
from services.integrations.upkeep import delete_expired
from services.origins.upkeep import check_proof, due_origins, expire_challenges, settle_proof
from services.paging import among, statement
from services.people.moves import forget_moves
from services.runtime import AUDIT_TOPIC, Runtime, audit_topic
from services.tenants import all_tenants
from services.usage.ledger import FLUSH_SECONDS
from services.usage.recording import prune

LOG = structlog.get_logger("dovetail.duties")
_KEEP_JOBS = 7 * DAY
_HEADS_AT_ONCE = 500


class Duty(NamedTuple):
    """`whole`: ended between its rounds alone. A commit that was cut off may have happened, and be written again."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[object]]
    whole: bool = False


def _context(runtime: Runtime, tenant: object, duty: str) -> Context:
    return Context(runtime, system_principal(UUID(str(tenant)), duty), "system", new_request_id())


async def recheck_origins(runtime: Runtime) -> int:
    """Look again for the proofs that are due; how many were looked for."""
    rows = await due_origins(runtime.clock.now_ms())

    async def one(row: dict[str, object]) -> None:
        proof = await check_proof(runtime.egress, row)
        with contextlib.suppress(NotFound):  # removed while it was checked
            await settle_proof(_context(runtime, row["tenant"], "recheck"), row, proof)

    await asyncio.gather(*(one(row) for row in rows))
    return len(rows)


async def expire(runtime: Runtime) -> int:
    """Mark the keys and the challenges that ran out, tenant by tenant."""
    count = 0
    for tenant in await all_tenants():
        count += await expire_credentials(_context(runtime, tenant["id"], "expire"))
        count += await expire_challenges(_context(runtime, tenant["id"], "expire"))
    return count


async def forget(runtime: Runtime) -> int:
    """Remove the tombstones that are older than they are kept; of how many tenants there were any."""
    before = runtime.clock.now_ms() - runtime.settings.tombstone_days * DAY
    tenants = [tenant["id"] for tenant in await all_tenants()]
    return sum([await forget_tombstones(_context(runtime, tenant, "forget"), before) for tenant in tenants])


async def tell_heads(runtime: Runtime) -> None:
    """Tell who listens here where the chains end: what another process sealed may not have come over the bus."""
    topics = [topic for topic in runtime.bus.topics() if topic.startswith(AUDIT_TOPIC)]
    tenants = [UUID(topic.removeprefix(AUDIT_TOPIC)) for topic in topics]
    for start in range(0, len(tenants), _HEADS_AT_ONCE):
        known = among(runtime.database, "tenant", tenants[start : start + _HEADS_AT_ONCE])
        text = f"SELECT tenant, seq FROM audit_head WHERE {known.sql}"  # noqa: S608 - own words
        for row in await runtime.database.fetch(statement(text), **known.params):
            runtime.bus.deliver(audit_topic(row["tenant"]), {"type": "head", "seq": row["seq"]})


def duties(runtime: Runtime) -> list[Duty]:
    settings, clock = runtime.settings, runtime.clock
    return [
        Duty("denials", 5, runtime.denials.flush, whole=True),
        Duty("heads", 2, lambda: tell_heads(runtime)),
        Duty("usage", FLUSH_SECONDS, runtime.usage.beat, whole=True),
        Duty("forget uses", 3600, lambda: prune(runtime.database, clock.now_ms() - settings.usage_days * DAY)),
        Duty("executions", EXECUTIONS_FLUSH, runtime.executions.flush, whole=True),
        Duty("circuits", 1, runtime.circuits.listen),
        Duty("decisions", 1, runtime.decisions.listen),
        Duty("health", 5, lambda: check_due(runtime, lambda tenant: _context(runtime, tenant, "health"))),
        Duty("interrupted", 15, lambda: give_up_stale(runtime, lambda tenant: _context(runtime, tenant, "executions"))),
        Duty("forget executions", 3600, runtime.executions.prune),
        Duty("recheck", 60, lambda: recheck_origins(runtime)),
        Duty("expire", 60, lambda: expire(runtime)),
        Duty("expired integrations", 600, lambda: delete_expired(runtime.database, clock.now_ms())),
        Duty("plain configurations", DAY / 1_000, lambda: seal_configs(runtime.database, runtime.encryption)),
        Duty("moves", 600, lambda: forget_moves(runtime.database)),
        Duty("forget tombstones", 3600, lambda: forget(runtime)),
        Duty("prune", 3600, lambda: runtime.jobs.prune(clock.now_ms() - _KEEP_JOBS)),
        Duty(
            "anchors",
            settings.anchor_minutes * MINUTE / 1_000,
            lambda: take_anchors(runtime.database, clock, anchor_file(settings.home), runtime.send_anchor),
        ),
        *([Duty("idle tokens", EVERY_SECONDS, lambda: refresh_idle(runtime))] if settings.oauth2_refresh_idle else []),
    ]


async def _to_its_end(run: Callable[[], Awaitable[object]]) -> None:
    """Also where the duty is cancelled meanwhile, once or more often: it ends when this round has."""
    running = asyncio.ensure_future(run())
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            # Unlike a task that is awaited, it does not hear of a second cancellation.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        if not running.cancelled() and (error := running.exception()) is not None:
            LOG.warning("the last round of a duty failed", reason=str(error))
        raise


async def _kept_up(name: str, run: Callable[[], Awaitable[object]], pause_seconds: float) -> None:
    """Run again and again. What breaks one round is logged and must not end the duty, nor any other."""
    while True:
        try:
            await run()
        except Unavailable as error:
            LOG.warning("a duty waits for the database", duty=name, reason=str(error))
        except Exception:
            LOG.exception("a duty failed", duty=name)
        if told_to_end():
            return
        await asyncio.sleep(pause_seconds)


async def run_duties(runtime: Runtime) -> None:
    """All duties, the sealer and the job runner, until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_kept_up("seal", runtime.sealer.run, 1))
        group.create_task(_kept_up("jobs", runtime.jobs.run, 1))
        for duty in duties(runtime):
            run = partial(_to_its_end, duty.run) if duty.whole else duty.run
            group.create_task(_kept_up(duty.name, run, duty.every_seconds))
