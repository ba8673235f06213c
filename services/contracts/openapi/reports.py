"""Collects what differs, judges it by direction, and makes findings: one per cause."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.contracts.findings import Category, Direction, Effect, Finding, Verdict, Witness
from services.contracts.openapi.effects import breaks, flipped
from services.contracts.openapi.pairs import Comparison, Delta, Pair
from services.contracts.openapi.rules import RULES_BY_ID

_BLOCK = {Direction.REQUEST: "no longer accepted", Direction.RESPONSE: "may now arrive"}


@dataclass(slots=True)
class Site:
    """A position from which schemas are reached."""

    operation: str
    where: str
    direction: Direction


@dataclass(slots=True)
class Cause:
    """One difference and every position that meets it; the first in order speaks for all."""

    delta: Delta
    direction: Direction
    effect: Effect
    operation: str
    where: str
    place: str = ""
    operations: dict[str, None] = field(default_factory=dict)
    pair: Pair | None = None
    flip: bool = False


class Report:
    """Findings under construction. Equal causes are kept once."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._causes: dict[tuple[Any, ...], Cause] = {}
        #: Operations that promise nothing yet (`x-stability-level: draft` or `alpha`).
        self.unpromised: set[str] = set()
        self._reaching: dict[int, bool] = {}

    def add(self, operation: str, where: str, direction: Direction, delta: Delta) -> None:
        """A difference outside schemas."""
        key = (operation, where + delta.step, direction, delta.rule, repr(delta.before), repr(delta.after))
        self._causes.setdefault(
            key,
            Cause(delta, direction, delta.effect, operation, where + delta.step, operations={operation: None}),
        )

    def add_schemas(self, operation: str, where: str, pair: Pair) -> None:
        """Everything that differs at and below a pair of schemas, with the shortest way to it."""
        level: list[tuple[Pair, str, bool]] = [(pair, where, False)]
        seen = {(id(pair), False)}
        while level:
            below: list[tuple[Pair, str, bool]] = []
            for each, place, flip in level:
                self.comparison.expand(each)
                self._note(operation, place, each, flip)
                for child in each.children:
                    state = (id(child.pair), flip != child.flip)
                    if state not in seen and self._reaches(child.pair):
                        seen.add(state)
                        below.append((child.pair, place + child.step, state[1]))
            level = below

    def _note(self, operation: str, where: str, pair: Pair, flip: bool) -> None:
        for index, delta in enumerate(pair.deltas):
            key = (id(pair), index, flip)
            cause = self._causes.get(key)
            if cause is None:
                effect = flipped(delta.effect) if flip else delta.effect
                place = pair.place() + delta.step
                cause = Cause(delta, pair.mode.direction, effect, operation, where + delta.step, place, pair=pair)
                cause.flip = flip
                self._causes[key] = cause
            cause.operations.setdefault(operation)

    def _reaches(self, pair: Pair) -> bool:
        """Whether anything differs at or below a pair; settled for everything that was looked at on the way."""
        if id(pair) in self._reaching:
            return self._reaching[id(pair)]
        order, users, dirty = [pair], {id(pair): []}, []  # type: ignore[var-annotated]
        for each in order:
            self.comparison.expand(each)
            if each.deltas or self._reaching.get(id(each)):
                dirty.append(each)
            if id(each) in self._reaching:
                continue
            for child in each.children:
                if id(child.pair) not in users:
                    users[id(child.pair)] = []
                    order.append(child.pair)
                users[id(child.pair)].append(each)
        reaching = {id(each) for each in dirty}
        while dirty:
            for user in users[id(dirty.pop())]:
                if id(user) not in reaching:
                    reaching.add(id(user))
                    dirty.append(user)
        for each in order:
            self._reaching[id(each)] = id(each) in reaching
        return self._reaching[id(pair)]

    def causes(self) -> list[Cause]:
        return list(self._causes.values())


def judged(
    cause: Cause, promised: Category, unpromised: set[str], evidence: Callable[[Cause], Witness | None]
) -> Finding:
    """A cause as a finding: who may be hurt by it, under the strict law and the tolerant reader's."""
    rule = RULES_BY_ID[cause.delta.rule]
    verdict = _verdict(cause, rule.category, rule.decides, promised)
    if cause.operations.keys() <= unpromised:
        verdict = Verdict.NOTICE
    tolerant = Verdict.NOTICE if verdict is Verdict.BREAKING and cause.delta.tolerated else None
    shared = cause.place if cause.place.startswith("/components/") else ""
    return Finding(
        rule=rule.id,
        verdict=verdict,
        category=rule.category,
        direction=cause.direction,
        effect=cause.effect,
        operation=cause.operation,
        where=cause.where,
        message=_message(rule.summary, cause),
        before=cause.delta.before,
        after=cause.delta.after,
        tolerant=tolerant,
        witness=evidence(cause) if verdict is Verdict.BREAKING else None,
        cause=f"#{shared}" if shared else "",
        operations=tuple(cause.operations) if len(cause.operations) > 1 else (),
    )


_RANK = [Category.WIRE, Category.SDK, Category.STRICT]


def _verdict(cause: Cause, category: Category, decides: str, promised: Category) -> Verdict:
    if cause.effect is Effect.UNKNOWN:
        return Verdict.UNKNOWN
    if cause.delta.sanctioned or _RANK.index(category) > _RANK.index(promised):
        return Verdict.NOTICE
    if decides == "notice" and category is Category.WIRE:
        return Verdict.NOTICE
    if cause.direction is Direction.CONTRACT:
        return Verdict.BREAKING if cause.effect in (Effect.NARROWS, Effect.INCOMPARABLE) else Verdict.NOTICE
    return Verdict.BREAKING if breaks(cause.effect, cause.direction) else Verdict.NOTICE


def _message(summary: str, cause: Cause) -> str:
    before, after = _shown(cause.delta.before), _shown(cause.delta.after)
    change = f": {before} → {after}" if before and after else f": {before or after}" if before or after else ""
    others = len(cause.operations) - 1
    tail = f" (and in {others} more operation{'s' if others > 1 else ''})" if others > 0 else ""
    return f"{summary}{change}{tail}"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 80 else text[:79] + "…"
