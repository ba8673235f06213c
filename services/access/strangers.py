"""Keys that were not seen before, throttled by client address before any database look-up.

Each takes its token before it is looked up, so that those in flight together cannot share one; a key that turns out
to be good gets the token back. Only a few of an address are looked up at once and the rest wait in line: a host of
many sites whose good keys all come in the same moment never holds the whole budget.
"""

from app.database.gates import Gate
from app.errors import RateLimited, Unavailable
from services.access.keys import Keys, Opened, Unknown
from services.limits import Limiter, Verdict

#: Unknown keys from one client address: as many a minute and at once as an installation may send by default.
PER_MINUTE = 600
BURST = 300
#: Look-ups of one address at once in each process; far below the burst, also in several processes.
AT_ONCE = 16


class TooManyUnknown(RateLimited):
    """The address has sent too many unknown keys; `verdict` is its bucket."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.retry_seconds)
        self.verdict = verdict


class Strangers:
    """The way in of a key that this process does not know."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._lines: dict[str, tuple[Gate, int]] = {}

    async def open(self, address: str, keys: Keys, text: str) -> Opened | Unknown:
        """What the key opens. Raises TooManyUnknown, or Unavailable where the line does not move."""
        gate, waiting = self._lines.get(address) or (Gate(AT_ONCE), 0)
        self._lines[address] = gate, waiting + 1
        try:
            return await self._in_line(gate, address, keys, text)
        finally:
            gate, waiting = self._lines[address]
            if waiting == 1:
                del self._lines[address]
            else:
                self._lines[address] = gate, waiting - 1

    async def _in_line(self, gate: Gate, address: str, keys: Keys, text: str) -> Opened | Unknown:
        try:
            await gate.enter()
        except TimeoutError as error:
            raise Unavailable from error
        try:
            # Somebody before in the line may have had the same key.
            return keys.warm(text) or await self._paid(f"unknown:{address}", keys, text)
        finally:
            gate.leave()

    async def _paid(self, bucket: str, keys: Keys, text: str) -> Opened | Unknown:
        verdict = await self._limiter.hit(bucket, PER_MINUTE, BURST)
        if not verdict.admitted:
            raise TooManyUnknown(verdict)
        try:
            found = await keys.open(text)
        except Unavailable:
            await self._limiter.refund(bucket, verdict, 1)
            raise
        if isinstance(found, Opened):
            await self._limiter.refund(bucket, verdict, 1)
        return found
