"""Pairs of places, one of each document: what differs there, and which pairs lie below. A pair is looked at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from services.contracts.findings import Direction, Effect
from services.contracts.openapi.documents import Node
from services.contracts.openapi.effects import flipped, joined
from services.contracts.openapi.flattening import Flattener
from services.contracts.openapi.lifecycles import Lifecycle
from services.contracts.openapi.shapes import Parts, Shape, key_of

#: Pairs that one question about a subset may look at; beyond, the answer is `unknown`.
MAX_EXPLORED = 4000


@dataclass(frozen=True, slots=True)
class Mode:
    """Who sends the value, and whether it travels as text (parameters, headers, forms), where 1 is "1"."""

    direction: Direction
    text: bool = False


@dataclass(slots=True)
class Delta:
    """One difference at one place. `step` is where it is, seen from the pair."""

    rule: str
    effect: Effect
    before: Any = None
    after: Any = None
    step: str = ""
    #: Nothing that a client which ignores what it does not know would notice.
    tolerated: bool = False
    sanctioned: bool = False


@dataclass(slots=True)
class Child:
    """A pair below; `flip`: its effect on the whole is the opposite one. `step` is part of the position."""

    step: str
    pair: "Pair"
    flip: bool = False


@dataclass(slots=True, eq=False)
class Pair:
    base: Parts
    revision: Parts
    mode: Mode
    deltas: list[Delta] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    expanded: bool = False
    effect: Effect | None = None

    def place(self) -> str:
        """The pointer of the revision's node, or the base's; empty for a place that no one node describes."""
        for parts in (self.revision, self.base):
            for part in parts:
                if isinstance(part, Node):
                    return part.pointer
        return ""


Check = Callable[["Comparison", Shape, Shape, Pair], Iterator[Delta | Child]]


class Comparison:
    """All pairs of one comparison of two documents."""

    def __init__(
        self,
        flattener: Flattener,
        checks: tuple[Check, ...],
        same: Callable[[Node, Node], bool],
        lifecycle: Lifecycle,
    ) -> None:
        self.flattener = flattener
        self.lifecycle = lifecycle
        self._checks = checks
        self._same = same
        self._pairs: dict[tuple[Any, ...], Pair] = {}

    def pair(self, base: Parts, revision: Parts, mode: Mode) -> Pair:
        key = (key_of(base), key_of(revision), mode)
        if key not in self._pairs:
            self._pairs[key] = Pair(base, revision, mode)
        return self._pairs[key]

    def shape(self, parts: Parts) -> Shape:
        return self.flattener.shape(parts)

    def expand(self, pair: Pair) -> None:
        """Find what differs at this pair itself, and the pairs below."""
        if pair.expanded:
            return
        pair.expanded = True
        if self._is_same(pair):
            return
        base, revision = self.shape(pair.base), self.shape(pair.revision)
        for check in self._checks:
            for found in check(self, base, revision, pair):
                if isinstance(found, Delta):
                    pair.deltas.append(found)
                else:
                    pair.children.append(found)

    def _is_same(self, pair: Pair) -> bool:
        if len(pair.base) != len(pair.revision):
            return False
        return all(
            isinstance(left, Node) and isinstance(right, Node) and self._same(left, right)
            for left, right in zip(pair.base, pair.revision, strict=True)
        )

    def effect(self, pair: Pair) -> Effect:
        """The effect of everything at and below a pair. A circle adds nothing to what stands on it."""
        if pair.effect is None:
            pair.effect = self._effect(pair)
        return pair.effect

    def _effect(self, start: Pair) -> Effect:
        effects: set[Effect] = set()
        stack, seen = [(start, False)], {(id(start), False)}
        while stack:
            pair, flip = stack.pop()
            self.expand(pair)
            effects |= {flipped(delta.effect) if flip else delta.effect for delta in pair.deltas}
            for child in pair.children:
                state = (child.pair, flip != child.flip)
                if (id(state[0]), state[1]) not in seen:
                    seen.add((id(state[0]), state[1]))
                    stack.append(state)
            if len(seen) > MAX_EXPLORED:
                return Effect.UNKNOWN
        return joined(effects)
