"""Reading people and works from ORCID's public API, politely: few at once, and slower when asked."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, Protocol

import msgspec

from app.clock import SECOND, SYSTEM_CLOCK, Clock
from app.egress import Answer, EgressFailed, EgressRefused
from services.people.orcid import parse_orcid
from services.people.records import PersonRecord, RecordUnreadable, Works, read_person, read_works
from services.people.records.members import child, plain

TRIES = 4
TIMEOUT_SECONDS = 15
MAX_BYTES = 20_000_000
MAX_RETRY_AFTER_SECONDS = 120
_BACKOFF_SECONDS = (0.5, 1.0, 2.0)
_ACCEPT = "application/vnd.orcid+json, application/json;q=0.9"
_RETRIED = frozenset({429, 500, 502, 503, 504})


class OrcidError(Exception):
    """ORCID gave no record; the message is a sentence for a person."""


class OrcidNotFound(OrcidError):
    """ORCID knows no such iD."""


class OrcidRefused(OrcidError):
    """ORCID, or this side's own guard, does not want the request; another try would be refused too."""


class OrcidUnavailable(OrcidError):
    """Every try failed; a later one may not."""


class Outbound(Protocol):
    """The part of `app.egress.Egress` that is needed here."""

    async def get(
        self,
        url: str,
        *,
        timeout_seconds: float = 5,
        max_bytes: int = 65_536,
        headers: Mapping[str, str] | None = None,
    ) -> Answer: ...


class OrcidClient:
    """`concurrency` requests in flight at once; `sleep` takes seconds and is replaced in tests."""

    def __init__(
        self,
        egress: Outbound,
        base_url: str,
        concurrency: int = 4,
        *,
        clock: Clock = SYSTEM_CLOCK,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._egress = egress
        self._base_url = base_url.rstrip("/").removesuffix("/v3.0")
        self._slots = asyncio.Semaphore(concurrency)
        self._clock = clock
        self._sleep = sleep

    async def fetch_person(self, orcid_id: str) -> PersonRecord:
        """Who the person is. Raises OrcidError, RecordUnreadable, or ValidationFailed for a bad iD."""
        owner = parse_orcid(orcid_id)
        return read_person(await self._fetch(owner, "person"), owner)

    async def fetch_works(self, orcid_id: str) -> Works:
        """What the person published. Raises as `fetch_person` does."""
        owner = parse_orcid(orcid_id)
        return read_works(await self._fetch(owner, "works"), owner)

    async def _fetch(self, orcid_id: str, part: str) -> Any:
        # A slot is kept while waiting for the next try: a server that asks for rest gets it.
        async with self._slots:
            failure = ""
            for number in range(TRIES):
                outcome = await self._try(f"{self._base_url}/v3.0/{orcid_id}/{part}")
                if isinstance(outcome, Answer) and outcome.status not in _RETRIED:
                    return _decode(outcome, orcid_id)
                failure = outcome if isinstance(outcome, str) else f"ORCID answered with status {outcome.status}."
                if number < len(_BACKOFF_SECONDS):
                    await self._sleep(self._pause(outcome, number))
            raise OrcidUnavailable(f"{failure} Gave up after {TRIES} tries.")

    async def _try(self, url: str) -> Answer | str:
        """The answer, or the sentence that says why there is none."""
        try:
            return await self._egress.get(
                url, timeout_seconds=TIMEOUT_SECONDS, max_bytes=MAX_BYTES, headers={"Accept": _ACCEPT}
            )
        except EgressFailed as error:
            return error.reason
        except EgressRefused as error:
            raise OrcidRefused(str(error)) from error

    def _pause(self, outcome: Answer | str, number: int) -> float:
        """Seconds until the next try: what the server asks for, else growing with jitter."""
        if isinstance(outcome, Answer) and outcome.status in (429, 503):
            asked = retry_after(outcome.headers.get("Retry-After"), self._clock.now_ms())
            if asked is not None:
                return asked
        return _BACKOFF_SECONDS[number] * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing


def retry_after(header: str | None, now_ms: int) -> float | None:
    """Seconds that a Retry-After header asks for, delay or date (RFC 9110 section 10.2.3), at most 120."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return float(min(int(text[:9]), MAX_RETRY_AFTER_SECONDS))
    try:
        at = parsedate_to_datetime(text)
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now_ms / SECOND
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), float(MAX_RETRY_AFTER_SECONDS))


def _decode(answer: Answer, orcid_id: str) -> Any:
    if answer.status == 404:
        raise OrcidNotFound(f"ORCID knows no record {orcid_id}.")
    if answer.status != 200:
        _refuse(answer)
    try:
        return msgspec.json.decode(answer.body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RecordUnreadable("ORCID's answer is not JSON.") from None


def _refuse(answer: Answer) -> NoReturn:
    try:
        said = plain(child(msgspec.json.decode(answer.body), "user-message"), limit=500)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = None
    raise OrcidRefused(f"ORCID answered with status {answer.status}" + (f": {said}" if said else "."))
