"""The rate limit of a method, for each instance; and what the other side's own limit says of it."""

from app.errors import IntegrationRateLimited
from services.context import Context
from services.integrations.definitions.compiling import CompiledMethod
from services.integrations.execution.targets import Target

#: A bucket that holds seconds: it is full again when the pause is over, so that its fill is the pause.
LONGEST_PAUSE, _SECONDS_A_MINUTE = 300, 60


async def check_limit(context: Context, target: Target, method: CompiledMethod) -> None:
    """Take one call of the method's bucket. Raises IntegrationRateLimited, and takes nothing then."""
    limiter, limits = context.runtime.limiter, method.method.rate_limits
    name = f"{target.id}:{method.method.name}"
    pause = await limiter.peek(f"pause:{name}", _SECONDS_A_MINUTE, LONGEST_PAUSE)
    if pause.remaining < LONGEST_PAUSE:
        raise _refused(max(1, int(pause.reset_after + 0.999)), "The integration asked for a pause")
    if limits is None:
        return
    verdict = await limiter.hit(f"execute:{name}", limits.requests_per_minute, limits.burst)
    context.verdict = verdict
    if not verdict.admitted:
        raise _refused(verdict.retry_seconds, "The rate limit of this method is used up")


def _refused(seconds: int, why: str) -> IntegrationRateLimited:
    return IntegrationRateLimited(seconds, f"{why}; try again in {seconds} seconds.")


async def slow_down(context: Context, target: Target, method: CompiledMethod, error: IntegrationRateLimited) -> None:
    """The other side's limit is used up: nobody calls the method until it says so, at most five minutes."""
    name = f"pause:{target.id}:{method.method.name}"
    limiter = context.runtime.limiter
    held = await limiter.peek(name, _SECONDS_A_MINUTE, LONGEST_PAUSE)
    more = min(error.retry_after, LONGEST_PAUSE) - int(held.reset_after)
    if more > 0:
        await limiter.hit(name, _SECONDS_A_MINUTE, LONGEST_PAUSE, cost=more)
