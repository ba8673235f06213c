"""One call to the other side, with its retries: within one deadline, through the circuit and the egress guard."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec
import structlog

from app.clock import SECOND
from app.egress import Answer, Call, EgressFailed, EgressRefused
from app.errors import CircuitOpen, DomainError, ExecutionFailed, IntegrationFailed, IntegrationTimeout, Unavailable
from services.context import Context
from services.integrations.definitions.compiling import CompiledMethod
from services.integrations.definitions.model import Retry
from services.integrations.execution.authentication import Credentials, Placed
from services.integrations.execution.circuit_permits import Permit
from services.integrations.execution.circuit_rows import Upstream
from services.integrations.execution.requests import Prepared
from services.integrations.execution.targets import Target
from services.integrations.execution.waiting import retry_after

#: Answers after which the same request may go well, as RFC 9110 tells of them, and 429 (RFC 6585).
RETRIED = frozenset({429, 500, 502, 503, 504})
DEFAULT_IDEMPOTENCY_HEADER = "Idempotency-Key"
_LEASE_BEYOND = 5 * SECOND
LOG = structlog.get_logger("dovetail.executions")


class Trace(msgspec.Struct):
    """What the record of a call tells of how it went.

    `intend` is called once, with the seconds that are left, before the other side is asked for the first time.
    """

    intend: Callable[[float], Awaitable[None]] | None = None
    host: str | None = None
    status_code: int | None = None
    attempts: int = 0
    response_bytes: int | None = None


class Run(msgspec.Struct, kw_only=True):
    """One execution on its way: `deadline` is the loop's time; `key` goes out with methods that are idempotent by key.

    `guarded` False leaves the circuit out, for who wants to know how the other side is.
    """

    context: Context
    target: Target
    method: CompiledMethod
    credentials: Credentials
    deadline: float
    timeout_ms: int
    key: str
    trace: Trace
    guarded: bool = True

    @property
    def left(self) -> float:
        """Seconds until the deadline. Raises IntegrationTimeout where there are none."""
        left = self.deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise self.late()
        return left

    @property
    def upstream(self) -> Upstream:
        return Upstream(self.context.tenant, self.target.id, self.target.host)

    def late(self) -> IntegrationTimeout:
        late = IntegrationTimeout(
            f"The integration gave no full answer within {self.timeout_ms} ms.", timeoutMs=self.timeout_ms
        )
        late.can_retry = self.method.method.repeats != "none" or not self.trace.attempts
        return late


async def send(run: Run, request: Prepared) -> Answer:
    """The answer, whatever its status; after a 401 once more where that may end otherwise.

    Raises CircuitOpen, IntegrationTimeout, IntegrationFailed, ExecutionFailed, and what the credentials raise.
    """
    if run.method.method.repeats == "key":
        name = run.method.method.idempotency_header or DEFAULT_IDEMPOTENCY_HEADER
        request = request._replace(headers={**request.headers, name: run.key})
    run.trace.host = run.target.host
    if run.guarded:
        # Before the credentials: no token is asked for on behalf of a call that will not be made.
        await run.context.runtime.circuits.check(run.upstream)
    answer = await _tried(run, await _placed(run, request))
    if answer.status == 401 and run.credentials.learn(request, answer):
        answer = await _tried(run, await _placed(run, request))
    return answer


async def _placed(run: Run, request: Prepared) -> Placed:
    try:
        async with asyncio.timeout(run.left):
            return await run.credentials.place(request)
    except TimeoutError:
        raise run.late() from None


async def _tried(run: Run, placed: Placed) -> Answer:
    """Try, and try again where the method may be repeated and time is left. The last outcome is the call's."""
    retry = run.method.method.retry or Retry(max_attempts=1)
    attempt = 0
    outcome: Answer | DomainError | None = None
    while True:
        attempt += 1
        try:
            outcome = await _attempt(run, placed)
        except CircuitOpen:
            if outcome is None:
                raise
            return _settled(outcome)
        except EgressFailed as error:
            again = run.method.method.repeats != "none" or not error.sent
            outcome = _failure(run, error)
        else:
            again = run.method.method.repeats != "none" and outcome.status in RETRIED
        pause = _pause(retry, attempt, outcome)
        if not again or attempt >= retry.max_attempts or pause >= _remaining(run):
            return _settled(outcome)
        await asyncio.sleep(pause)


def _settled(outcome: Answer | DomainError) -> Answer:
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def _remaining(run: Run) -> float:
    return run.deadline - asyncio.get_running_loop().time()


def _pause(retry: Retry, attempt: int, outcome: Answer | DomainError) -> float:
    """Seconds before the next try: full jitter, and at least what the answer asks for."""
    longest = min(retry.initial_delay_ms * retry.multiplier ** (attempt - 1), retry.max_delay_ms)
    asked = retry_after(outcome) if isinstance(outcome, Answer) else None
    return max(asked or 0.0, random.uniform(0, longest) / SECOND)  # noqa: S311 - jitter


async def _attempt(run: Run, placed: Placed) -> Answer:
    left = run.left
    if not run.guarded:
        return await _called(run, placed, left)
    lease = int(left * SECOND) + _LEASE_BEYOND
    permit = await run.context.runtime.circuits.enter(run.upstream, lease)
    settled = False
    try:
        answer = await _called(run, placed, left)
        settled = True
        await _told(_settle(permit, answer))
        return answer
    except EgressFailed:
        settled = True
        await _told(permit.failed())
        raise
    finally:
        if not settled:
            await asyncio.shield(_told(permit.unsettled()))


async def _told(circuit: Coroutine[Any, Any, None]) -> None:
    """A circuit that cannot be written is not the caller's matter, who is told what the other side said."""
    try:
        await circuit
    except Unavailable as error:
        LOG.warning("a circuit could not be told of a call", reason=str(error))


async def _settle(permit: Permit, answer: Answer) -> None:
    if answer.status >= 500:
        await permit.failed()
    elif answer.status == 429:
        await permit.unsettled()
    else:
        await permit.succeeded()


async def _called(run: Run, placed: Placed, left: float) -> Answer:
    request = placed.request
    if run.trace.intend is not None:
        intend, run.trace.intend = run.trace.intend, None
        await intend(left)
    run.trace.attempts += 1
    call = Call(
        request.method, request.url, request.headers, request.body, run.left, run.method.method.most_bytes,
        run.target.may_call, placed.private, run.method.method.repeats != "none",
    )  # fmt: skip
    try:
        answer = await run.context.runtime.egress.call(call)
    except EgressRefused as error:
        # Of the answer; what is refused before leaves the request unsent.
        _reached(run, sent=error.of_the_answer)
        raise _refused(run, error) from None
    except EgressFailed as error:
        _reached(run, sent=error.sent)
        raise
    _reached(run, sent=answer.status != 429)
    run.trace.status_code, run.trace.response_bytes = answer.status, len(answer.body)
    return answer


def _reached(run: Run, *, sent: bool) -> None:
    run.context.reached |= sent and run.method.method.effect != "read"


def _refused(run: Run, error: EgressRefused) -> DomainError:
    text = run.credentials.redaction.text(str(error))
    if error.of_the_answer:
        return IntegrationFailed(f"The answer of the integration is refused: {text}")
    return ExecutionFailed(f"The address of the integration is refused: {text}", rule=error.rule)


def _failure(run: Run, error: EgressFailed) -> DomainError:
    if error.timed_out:
        return run.late()
    text = run.credentials.redaction.text(error.reason)
    # What may have been done already is not for a caller to do again without a look.
    again = run.method.method.repeats != "none" or not error.sent
    return IntegrationFailed(f"The integration did not answer: {text}", can_retry=again)


def shown_answer(value: Any, most: int = 16_384) -> Any:
    """What an error shows of an answer: the whole where it is small."""
    encoded = msgspec.json.encode(value)
    return value if len(encoded) <= most else encoded[:most].decode("utf-8", "replace") + "…"
