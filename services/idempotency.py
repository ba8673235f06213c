"""Idempotency-Key: a request that is repeated with the same key is answered again, and not done again.

The answer is kept for a day, sealed, under its caller, method, path and key. A process that dies while it works leaves
the outcome unknown: the key stays taken, because to do the work again is what its sender wanted to rule out.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import structlog

from app.auth.encryption import Place, Sealed
from app.clock import DAY, MINUTE
from app.database import Statement
from app.errors import IdempotencyInProgress, IdempotencyKeyReused, Unavailable, ValidationFailed
from app.ids import new_id
from models.integrations import IdempotencyRecord
from services.context import Context

HEADER = "Idempotency-Key"
KEPT = DAY
LOG = structlog.get_logger("dovetail.idempotency")
#: After this long a request is no longer being worked on; what became of it is not known.
_WORKED_ON = 10 * MINUTE
_LARGE = 1_048_576
_NOT_KEPT = frozenset({429, 500, 502, 503, 504})
_KEY = re.compile(r"[!-~]{1,255}")
_BEGIN = Statement(
    "INSERT INTO idempotency_record (id, tenant, caller, key, method, path, body_digest, status, leased_until, "
    "created_at, expires_at) VALUES ({id}, {tenant}, {caller}, {key}, {method}, {path}, {digest}, 'running', "
    "{leased}, {now}, {expires}) ON CONFLICT (tenant, caller, method, path, key) DO NOTHING"
)
TABLE = "idempotency_record"


class Answer(NamedTuple):
    """An answer as it was given: status, headers of its own, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Asked(NamedTuple):
    """What is to be done once: `body` is the request's, as it was sent."""

    key: str
    method: str
    path: str
    body: bytes


class Done(NamedTuple):
    """The answer, and whether it was given before."""

    answer: Answer
    replayed: bool


async def once(context: Context, asked: Asked, work: Callable[[], Awaitable[Answer]]) -> Done:
    """Do it, or answer as before. What was refused before it was begun, and may go well next time, is not kept.

    Raises what `begin` and `work` raise.
    """
    found = await begin(context, asked)
    if isinstance(found, Answer):
        return Done(found, replayed=True)
    try:
        answer = await work()
    except Exception:
        # Not so where it was cancelled, or asked something elsewhere: what it did is not known then.
        if not context.reached:
            await forget(context, found)
        raise
    if answer.status in _NOT_KEPT and not context.reached:
        await forget(context, found)
    else:
        await _finished(context, found, answer)
    return Done(answer, replayed=False)


async def _finished(context: Context, record: UUID, answer: Answer) -> None:
    """What was done elsewhere is done: whoever asked is told so, also where the answer cannot be kept."""
    try:
        await finish(context, record, answer)
    except Unavailable as error:
        if not context.reached:
            raise
        LOG.warning("an answer could not be kept; its key stays taken", record=str(record), reason=str(error))


async def begin(context: Context, asked: Asked) -> Answer | UUID:
    """The answer that was given before, or the record under which the work may begin now.

    Raises ValidationFailed, IdempotencyInProgress, and IdempotencyKeyReused for another body.
    """
    if _KEY.fullmatch(asked.key) is None:
        raise ValidationFailed({HEADER: "must be 1 to 255 printable ASCII characters without spaces"})
    digest = await _digest(asked.body)
    for _ in range(3):
        record = new_id()
        if await _claim(context, record, asked, digest):
            return record
        found = await _existing(context, asked)
        if found is None:
            continue
        if found["expires_at"] > context.now:
            return _replayed(context, found, digest)
        # Only where it is still the old one: another request may have taken the key meanwhile.
        await forget(context, found["id"])
    raise IdempotencyInProgress


async def _digest(body: bytes) -> str:
    """A large body is hashed beside the requests that run."""
    if len(body) <= _LARGE:
        return hashlib.sha256(body).hexdigest()
    return (await asyncio.to_thread(hashlib.sha256, body)).hexdigest()


async def _claim(context: Context, record: UUID, asked: Asked, digest: str) -> bool:
    inserted = await context.database.execute(
        _BEGIN,
        id=record,
        tenant=context.tenant,
        caller=context.principal.subject,
        key=asked.key,
        method=asked.method,
        path=asked.path[:500],
        digest=digest,
        leased=context.now + _WORKED_ON,
        now=context.now,
        expires=context.now + KEPT,
    )
    return inserted == 1


async def _existing(context: Context, asked: Asked) -> dict[str, Any] | None:
    table: Any = IdempotencyRecord
    same = (
        (table.caller == context.principal.subject)
        & (table.method == asked.method)
        & (table.path == asked.path[:500])
        & (table.key == asked.key)
    )
    found: dict[str, Any] | None = await table.of(context.tenant).one(*table.all_columns(), where=same)
    return found


def _replayed(context: Context, found: dict[str, Any], digest: str) -> Answer:
    if found["body_digest"] != digest:
        raise IdempotencyKeyReused
    if found["status"] != "done":
        # One that ends later than any can was begun before the clock was set back.
        if not context.now < found["leased_until"] <= context.now + 2 * _WORKED_ON:
            raise IdempotencyInProgress(
                "A request with this Idempotency-Key was begun, and its outcome is not known. See what there is, and "
                "use another key."
            )
        raise IdempotencyInProgress
    body = context.runtime.encryption.open(
        Sealed(found["key_id"], found["answer_body"]), Place(TABLE, found["id"], "answer_body")
    )
    return Answer(found["answer_status"], msgspec.json.decode(found["answer_headers"]), body.encode())


async def finish(context: Context, record: UUID, answer: Answer) -> None:
    """Keep the answer for whoever asks again."""
    sealed = context.runtime.encryption.seal(answer.body.decode(), Place(TABLE, record, "answer_body"))
    values = {
        "status": "done",
        "answer_status": answer.status,
        "answer_headers": msgspec.json.encode(answer.headers).decode(),
        "answer_body": sealed.text,
        "key_id": sealed.key_id,
        "leased_until": None,
    }
    await IdempotencyRecord.of(context.tenant).update(values).where(IdempotencyRecord.id == record)


async def forget(context: Context, record: UUID) -> None:
    """Let the key be used again: nothing was done."""
    await IdempotencyRecord.of(context.tenant).delete().where(IdempotencyRecord.id == record)
