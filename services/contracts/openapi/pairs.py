"""Pairs of places, one of each document: what differs there, and which pairs lie below. A pair is looked at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from services.contracts.findings import Direction, Effect, Witness
from services.contracts.openapi.documents import Node
from services.contracts.openapi.effects import flipped, joined
from services.contracts.openapi.flattening import Flattener
from services.contracts.openapi.lifecycles import Lifecycle
from services.contracts.openapi.shapes import Parts, Shape, key_of, without_groups

#: Pairs that one question about a subset may look at; beyond, the answer is `unknown`.
MAX_EXPLORED = 4000
#: Questions inside questions; a schema that contains itself as its own alternative would ask for ever.
MAX_ASKING = 12
#: Pairs that all questions of one comparison may look at, and how many may be asked. Beyond, alternatives meet by name
#: alone, and of the rest it is said that they cannot be judged.
MAX_VISITED = 10_000
MAX_ASKED = 40_000
#: Alternatives inside alternatives that only one side has; more come from schemas that unfold without end.
MAX_UNFOLDED = 3


@dataclass(frozen=True, slots=True)
class Mode:
    """Who sends the value, and whether it travels as text (parameters, headers, forms), where 1 is "1"."""

    direction: Direction
    text: bool = False
    xml: bool = False


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
    #: Known where the difference is found; those of schemas are sought for afterwards.
    witness: Witness | None = None


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
    #: Being looked at right now: what is known of it is not all.
    unfinished: bool = False
    effect: Effect | None = None

    def place(self) -> str:
        """The pointer of the revision's node, or the base's; empty for a place that no one node describes."""
        for parts in (self.revision, self.base):
            for part in parts:
                if isinstance(part, Node):
                    return part.pointer
        return ""


def _referred(part: Node | Shape) -> Node | Shape:
    """What a bare reference stands for, so that all who refer to it meet at one place."""
    if isinstance(part, Shape) or not isinstance(part.value, dict) or "$ref" not in part.value:
        return part
    if part.document.modern and len(part.value) > 1:
        return part
    target = part.target()
    return part if target is None else target.resolved()


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
        self._rests: dict[int, tuple[Shape, Shape]] = {}
        #: Answers that rest on questions still open; they hold until the outermost is answered.
        self._guessed: dict[int, Effect] = {}
        self.asking = 0
        self._visited = self._asked = 0

    def pair(self, base: Parts, revision: Parts, mode: Mode) -> Pair:
        base, revision = tuple(map(_referred, base)), tuple(map(_referred, revision))
        key = (key_of(base), key_of(revision), mode)
        if key not in self._pairs:
            self._pairs[key] = Pair(base, revision, mode)
        return self._pairs[key]

    def shape(self, parts: Parts) -> Shape:
        return self.flattener.shape(parts)

    def rest(self, shape: Shape) -> Shape:
        """What stands beside the first group of alternatives; the same one whenever it is asked for."""
        if id(shape) not in self._rests:
            self._rests[id(shape)] = (shape, self._without_first(shape))
        return self._rests[id(shape)][1]

    def _without_first(self, shape: Shape) -> Shape:
        return replace(without_groups(shape), groups=shape.groups[1:], unfolded=shape.unfolded + 1)

    @property
    def exhausted(self) -> bool:
        """Whether no more questions are answered."""
        return self._visited >= MAX_VISITED or self._asked >= MAX_ASKED

    def spend(self, questions: int) -> None:
        """So many are about to be asked: of a group of alternatives, each of one side meets each of the other."""
        self._asked += questions

    def expand(self, pair: Pair) -> None:
        """Find what differs at this pair itself, and the pairs below."""
        if pair.expanded:
            return
        pair.expanded = True
        if self._is_same(pair):
            return
        if max(self.shape(parts).unfolded for parts in (pair.base, pair.revision)) > MAX_UNFOLDED:
            pair.deltas.append(Delta("schema-reference", Effect.UNKNOWN))
            return
        pair.unfinished = True
        self._look(pair)
        pair.unfinished = False

    def _look(self, pair: Pair) -> None:
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
        if pair.effect is not None:
            return pair.effect
        self._asked += 1
        if id(pair) in self._guessed:
            return self._guessed[id(pair)]
        if self.asking >= MAX_ASKING or self.exhausted:
            return Effect.UNKNOWN
        self.asking += 1
        found, certain = self._effect(pair)
        self.asking -= 1
        if certain:
            pair.effect = found
        if self.asking:
            self._guessed[id(pair)] = found
        else:
            self._guessed.clear()
        return found

    def _effect(self, start: Pair) -> tuple[Effect, bool]:
        """The effect, and whether all that it rests on was known."""
        effects: set[Effect] = set()
        certain = True
        stack, seen = [(start, False)], {(id(start), False)}
        while stack:
            pair, flip = stack.pop()
            self.expand(pair)
            certain = certain and not pair.unfinished
            effects |= {flipped(delta.effect) if flip else delta.effect for delta in pair.deltas}
            for child in pair.children:
                state = (child.pair, flip != child.flip)
                if (id(state[0]), state[1]) not in seen:
                    seen.add((id(state[0]), state[1]))
                    stack.append(state)
            self._visited += 1
            if len(seen) > MAX_EXPLORED or self.exhausted:
                return Effect.UNKNOWN, True
        return joined(effects), certain and self.asking == 1
