"""Witnesses: a value that one side of a schema accepts and the other refuses, proven by a validator on both.

Candidates are made from the delta at its own place, not searched for; what cannot be proven is no witness.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema_rs

from services.contracts.findings import Direction, Witness
from services.contracts.openapi.documents import Node
from services.contracts.openapi.pairs import Comparison, Pair
from services.contracts.openapi.reports import Cause
from services.contracts.openapi.samples import samples
from services.contracts.openapi.shapes import Parts, Shape
from services.contracts.openapi.standalone import standalone

#: Values tried for one finding.
MAX_TRIED = 300
#: Findings of one comparison that a witness is sought for, in their order; a number, so that the answer is the same
#: on a slow machine.
MAX_SOUGHT = 200
#: Objects of the document that are copied for the validators of one comparison.
MAX_COPIED = 60_000


def _no_fetching(uri: str) -> Any:
    raise ValueError(f"not fetched: {uri}")


def validator(schema: Any) -> jsonschema_rs.Draft202012Validator | None:
    """A validator that fetches nothing and matches patterns in linear time; None where the schema is not valid."""
    try:
        return jsonschema_rs.Draft202012Validator(
            schema, retriever=_no_fetching, pattern_options=jsonschema_rs.RegexOptions(), validate_formats=True
        )
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
        return None


class Evidence:
    """Finds the witnesses of one comparison, within a budget; what comes late goes without."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._sought = 0
        self._budget = [MAX_COPIED]

    def __call__(self, cause: Cause) -> Witness | None:
        """The witness of a difference: of schemas one that is proven, of requests what was found with it."""
        if cause.delta.witness is not None:
            return cause.delta.witness
        pair = cause.pair
        if pair is None or any(isinstance(part, Shape) for part in pair.base + pair.revision):
            return None
        self._sought += 1
        if self._sought > MAX_SOUGHT or self._budget[0] <= 0:
            return None
        return witness(self._comparison, pair, self._budget, flip=cause.flip)


def witness(comparison: Comparison, pair: Pair, budget: list[int], *, flip: bool) -> Witness | None:
    """A value for the side that breaks: of a request, valid before and not after; of a response, the other way."""
    request = (pair.mode.direction is Direction.REQUEST) != flip
    accepted, refused = (pair.base, pair.revision) if request else (pair.revision, pair.base)
    yes, no = (validator(_schema(parts, budget)) for parts in (accepted, refused))
    if yes is None or no is None:
        return None
    shapes = comparison.shape(accepted), comparison.shape(refused)
    note = "accepted before, refused now" if request else "refused before, may arrive now"
    for value in islice(_candidates(accepted, *shapes), MAX_TRIED):
        if yes.is_valid(value) and not no.is_valid(value):
            return Witness(value, note)
    return None


def _schema(parts: Parts, budget: list[int]) -> Any:
    nodes = [part for part in parts if isinstance(part, Node)]
    return standalone(nodes, budget)


def _candidates(parts: Parts, accepting: Shape, refusing: Shape) -> Iterator[Any]:
    """The document's own examples first, then samples of what is accepted, at the edge of what is refused."""
    for part in parts:
        if isinstance(part, Node) and isinstance(part.value, dict):
            yield from (part.value[name] for name in ("example", "default", "const") if name in part.value)
            listed = part.value.get("examples")
            yield from listed if isinstance(listed, list) else ()
    yield from samples(accepting, refusing)
