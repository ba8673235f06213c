"""Queued work in a table: taken under a lease, run at least once, tried again with growing pauses.

Handlers must be idempotent: a process that dies leaves its lease to run out, and the job is taken again.
The runner is small on purpose; durable workflows get an engine of their own.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import structlog

from app.auth.principal import system_principal
from app.clock import MINUTE, SECOND
from app.database import Database, Statement
from app.endings import told_to_end
from app.errors import Unavailable
from app.ids import new_id, new_request_id
from services.context import Context
from services.paging import among, statement

if TYPE_CHECKING:
    from services.runtime import Runtime

LOG = structlog.get_logger("dovetail.jobs")
LEASE = 5 * MINUTE
#: A job that waits for somebody else may outlast its lease, so the lease is renewed while the job runs.
RENEW_SECONDS = 60.0
POLL_SECONDS = 2.0
TRIES = 5
_PAUSES = (10 * SECOND, MINUTE, 10 * MINUTE, 60 * MINUTE)
#: By how much the clocks of two machines may differ.
_SKEW = 10 * MINUTE

_ENQUEUE = Statement(
    "INSERT INTO job (id, tenant, kind, subject, payload, status, attempts, run_at, created_at) "
    "VALUES ({id}, {tenant}, {kind}, {subject}, {payload}, 'queued', 0, {at}, {at}) "
    "ON CONFLICT (tenant, kind, subject) WHERE status = 'queued' DO UPDATE SET run_at = excluded.run_at"
)
# A lease is taken by one UPDATE whose WHERE is checked again under the row lock: two takers, one winner.
# What is later than any pause or lease is from before the clock was set back: it must not wait until then.
_IS_DUE = (
    "((status = 'queued' AND (run_at <= {now} OR run_at > {no_pause})) "
    "OR (status = 'running' AND (leased_until < {now} OR leased_until > {no_lease})))"
)
_NEXT = Statement(f"SELECT id FROM job WHERE {_IS_DUE} ORDER BY run_at LIMIT {{limit}}")  # noqa: S608 - own words
_TAKE = Statement(
    "UPDATE job SET status = 'running', attempts = attempts + 1, leased_until = {until} "  # noqa: S608 - own words
    f"WHERE id = {{id}} AND {_IS_DUE} "
    "RETURNING id, tenant, kind, subject, payload, attempts"
)
_RENEW = Statement("UPDATE job SET leased_until = {until} WHERE id = {id} AND attempts = {attempts}")
_FINISH = Statement(
    "UPDATE job SET status = {status}, error = {error}, finished_at = {now}, leased_until = NULL "
    "WHERE id = {id} AND attempts = {attempts}"
)
_AGAIN = Statement(
    "UPDATE job SET status = 'queued', error = {error}, run_at = {at}, leased_until = NULL "
    "WHERE id = {id} AND attempts = {attempts} AND NOT EXISTS (SELECT 1 FROM job j WHERE j.tenant = job.tenant "
    "AND j.kind = job.kind AND j.subject = job.subject AND j.status = 'queued')"
)
_PRUNE = Statement("DELETE FROM job WHERE status IN ('done', 'failed') AND finished_at < {before}")

#: Runs one job. Raises TryAgain for a failure that may pass; any other exception fails the job.
Handler = Callable[[Context, str, dict[str, Any]], Awaitable[None]]


class TryAgain(Exception):
    """What went wrong may pass; the job is put off."""


async def enqueue(context: Context, kind: str, subject: str, payload: dict[str, Any]) -> None:
    """Queue a job in the caller's transaction; one that is queued already is not doubled."""
    await context.database.execute(
        _ENQUEUE,
        id=new_id(),
        tenant=context.tenant,
        kind=kind,
        subject=subject,
        payload=msgspec.json.encode(payload).decode(),
        at=context.now,
    )


async def any_unfinished(context: Context, kind: str, subjects: Sequence[str]) -> bool:
    """Whether a job of one of these subjects is queued or runs, in whichever process."""
    known = among(context.database, "subject", subjects)
    text = (
        "SELECT 1 FROM job WHERE tenant = {tenant} AND kind = {kind} "  # noqa: S608 - own words
        "AND status IN ('queued', 'running') "
        f"AND {known.sql} LIMIT 1"
    )
    return bool(await context.database.fetch(statement(text), tenant=context.tenant, kind=kind, **known.params))


def _due(now: int) -> dict[str, int]:
    return {"now": now, "no_pause": now + _PAUSES[-1] + _SKEW, "no_lease": now + LEASE + _SKEW}


class JobRunner:
    """Takes and runs jobs, `concurrency` at once, until it is cancelled; `wake` after queueing."""

    def __init__(self, runtime: "Runtime", handlers: dict[str, Handler], concurrency: int) -> None:
        self._runtime, self._handlers, self._concurrency = runtime, handlers, concurrency
        self._wake = asyncio.Event()

    @property
    def _database(self) -> Database:
        return self._runtime.database

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while not told_to_end():
            try:
                busy = await self.run_due()
            except Unavailable as error:
                LOG.warning("jobs wait for the database", reason=str(error))
                busy = 0
            except Exception:
                # Whatever could not be written down is taken again when its lease has run out.
                LOG.exception("jobs could not be settled")
                busy = 0
            if not busy:
                # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the wake-up.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._wake.wait()
                self._wake.clear()

    async def run_due(self) -> int:
        """Run what is due now, up to `concurrency` jobs side by side; how many were run."""
        now = self._runtime.clock.now_ms()
        rows = await self._database.fetch(_NEXT, **_due(now), limit=self._concurrency)
        taken = [job for row in rows if (job := await self._take(UUID(str(row["id"])), now)) is not None]
        results = await asyncio.gather(*(self._run_one(job) for job in taken), return_exceptions=True)
        for failure in (result for result in results if isinstance(result, BaseException)):
            raise failure
        return len(taken)

    async def prune(self, before: int) -> int:
        return await self._database.execute(_PRUNE, before=before)

    async def _take(self, job: UUID, now: int) -> Any | None:
        rows = await self._database.fetch(_TAKE, id=job, **_due(now), until=now + LEASE)
        return rows[0] if rows else None

    async def _run_one(self, job: Any) -> None:
        if job["attempts"] > TRIES:
            # Nothing said why it did not end, so each try took its process with it.
            await self._finish(job, "failed", f"It did not come to an end in {TRIES} tries.")
            return
        tenant = UUID(str(job["tenant"]))
        context = Context(self._runtime, system_principal(tenant, job["kind"]), "system", new_request_id())
        try:
            async with self._leased(job):
                await self._handlers[job["kind"]](context, job["subject"], msgspec.json.decode(job["payload"]))
        except asyncio.CancelledError:
            await self._give_back(job)
            raise
        except TryAgain as error:
            await self._put_off(job, str(error))
        except Exception as error:
            LOG.exception("job failed", kind=job["kind"], subject=job["subject"], job=str(job["id"]))
            await self._finish(job, "failed", str(error) or type(error).__name__)
        else:
            await self._finish(job, "done", None)

    async def _put_off(self, job: Any, reason: str) -> None:
        if job["attempts"] >= TRIES:
            await self._finish(job, "failed", reason)
            return
        await self._queue_again(job, reason, _PAUSES[min(job["attempts"], len(_PAUSES)) - 1])

    async def _queue_again(self, job: Any, reason: str, pause: int) -> None:
        at = self._runtime.clock.now_ms() + pause
        again = await self._database.execute(_AGAIN, id=job["id"], attempts=job["attempts"], error=reason, at=at)
        if not again:
            await self._finish(job, "done", reason)

    async def _give_back(self, job: Any) -> None:
        """The server stops: whoever comes next need not wait for the lease."""
        with contextlib.suppress(Unavailable):
            await self._queue_again(job, "The server stopped while it ran.", 0)

    @contextlib.asynccontextmanager
    async def _leased(self, job: Any) -> AsyncIterator[None]:
        renewal = asyncio.create_task(self._renew(job))
        try:
            yield
        finally:
            renewal.cancel()

    async def _renew(self, job: Any) -> None:
        while not told_to_end():
            await asyncio.sleep(RENEW_SECONDS)
            with contextlib.suppress(Unavailable):
                until = self._runtime.clock.now_ms() + LEASE
                await self._database.execute(_RENEW, id=job["id"], attempts=job["attempts"], until=until)

    async def _finish(self, job: Any, status: str, error: str | None) -> None:
        now = self._runtime.clock.now_ms()
        await self._database.execute(
            _FINISH, id=job["id"], attempts=job["attempts"], status=status, error=error, now=now
        )
