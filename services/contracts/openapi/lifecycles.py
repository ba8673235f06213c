"""Deprecated, then past its sunset, then removed: what a document says of the end of its parts."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.contracts.findings import Effect

STABILITIES = ("draft", "alpha", "beta", "stable")
#: What promises nothing yet.
UNPROMISED = {"draft", "alpha"}
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[Tt ].*)?\Z")


def sunset_of(value: Any) -> dt.date | None:
    """The date of an `x-sunset`, RFC 3339 date or date-time; None where it is none."""
    match = _DATE.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return dt.date(*map(int, match.groups()))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a part stands in its life: deprecated or not, its sunset and its stability as written."""

    deprecated: bool
    sunset: Any
    stability: Any

    @classmethod
    def of(cls, value: Any) -> "Stage":
        if not isinstance(value, dict):
            return cls(False, None, None)
        stability = value.get("x-stability-level")
        return cls(value.get("deprecated") is True, value.get("x-sunset"), _plain(stability))

    @property
    def unpromised(self) -> bool:
        return self.stability in UNPROMISED


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else str(value)


class Breach(NamedTuple):
    """A step in the life of a part that its callers were not promised."""

    rule: str
    effect: Effect
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The policy: `notice_days` between a deprecation and its sunset, None where a deprecation needs no sunset."""

    today: dt.date
    notice_days: int | None = None
    beta_notice_days: int | None = None

    def is_past(self, value: Any) -> bool:
        sunset = sunset_of(value)
        return sunset is not None and sunset <= self.today

    def may_go(self, deprecated: bool, value: Any) -> bool:
        """Whether a part may be removed: deprecated and past its sunset, or never promised."""
        stage = Stage.of(value)
        return (deprecated and self.is_past(stage.sunset)) or stage.unpromised

    def breaches(self, base: Stage, revision: Stage, promised: Stage | None = None) -> Iterator[Breach]:
        """What breaks the policy between two stages. `promised` is what the whole operation promises."""
        if base == revision:
            return
        yield from self._stability(base, revision)
        if revision.deprecated:
            yield from self._sunset(base, revision, (promised or revision).stability)

    def _stability(self, base: Stage, revision: Stage) -> Iterator[Breach]:
        before, after = base.stability, revision.stability
        if before == after:
            return
        if any(each is not None and each not in STABILITIES for each in (before, after)):
            yield Breach("stability-invalid", Effect.INCOMPARABLE, before, after)
        elif _rank(after) < _rank(before):
            yield Breach("stability-decreased", Effect.INCOMPARABLE, before, after)

    def _sunset(self, base: Stage, revision: Stage, stability: Any) -> Iterator[Breach]:
        before, after = sunset_of(base.sunset), sunset_of(revision.sunset)
        shown = (base.sunset, revision.sunset)
        if revision.sunset is not None and after is None:
            yield Breach("sunset-invalid", Effect.INCOMPARABLE, *shown)
        elif base.deprecated and base.sunset is not None and revision.sunset is None:
            yield Breach("sunset-removed", Effect.INCOMPARABLE, *shown)
        elif base.deprecated and base.sunset is not None and before is None:
            yield Breach("sunset-invalid", Effect.UNKNOWN, *shown)
        elif base.deprecated:
            if before and after and after < before and self._too_near(after, stability):
                yield Breach("sunset-early", Effect.INCOMPARABLE, *shown)
        elif after is None:
            if self._days(stability):
                yield Breach("sunset-missing", Effect.INCOMPARABLE, *shown)
        elif self._days(stability) is not None and self._too_near(after, stability):
            yield Breach("sunset-early", Effect.INCOMPARABLE, *shown)

    def _days(self, stability: Any) -> int | None:
        if stability in UNPROMISED:
            return None
        return self.beta_notice_days if stability == "beta" else self.notice_days

    def _too_near(self, sunset: dt.date, stability: Any) -> bool:
        """Nearer than the policy allows; with no policy, any date that moves forward is too near."""
        days = self._days(stability)
        return days is None or sunset < self.today + dt.timedelta(days=days)


def _rank(stability: Any) -> int:
    return STABILITIES.index("stable" if stability is None else stability)
