"""Faults of a document, each with its path: `methods.0.request.path`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from app.errors import ValidationFailed

#: A document that is wrong everywhere is not told so a thousand times.
MOST_FAULTS = 100
_LONGEST = 300


class Fault(Exception):
    """One rule that a value breaks, in words that follow its path."""


class Faults:
    """Collects every fault, so that all are told at once."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def add(self, path: str, rule: str) -> None:
        told = self.found.get(path)
        if told is None and len(self.found) >= MOST_FAULTS:
            return
        rule = rule if len(rule) <= _LONGEST else f"{rule[:_LONGEST]}…"
        self.found[path] = rule if told is None else f"{told}; {rule}"

    def update(self, found: Iterable[tuple[str, str]]) -> None:
        for path, rule in found:
            self.add(path, rule)

    @contextmanager
    def at(self, path: str) -> Iterator[None]:
        """A Fault that is raised inside belongs to this path."""
        try:
            yield
        except Fault as fault:
            self.add(path, str(fault))

    def refuse(self, kind: type[ValidationFailed] = ValidationFailed) -> None:
        """Raise what was found, if anything was."""
        if self.found:
            raise kind(self.found)


def joined(*parts: Any) -> str:
    """A path of its parts; empty ones are left out."""
    return ".".join(str(part) for part in parts if part != "")
