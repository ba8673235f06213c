"""What an import tells: how many operations became methods, and what of them could not be typed, and why."""

from typing import Literal, TypeAlias

import msgspec

#: `left_out`: there is no method for the operation. `untyped`: the method is there, and this part of it is open or
#: cannot be given. `note`: the method is whole, and this was decided on the way.
Effect: TypeAlias = Literal["left_out", "untyped", "note"]
_LONGEST = 300
_RANK: dict[Effect, int] = {"left_out": 0, "untyped": 1, "note": 2}


class Finding(msgspec.Struct, frozen=True, rename="camel"):
    """`operation` is `GET /path`, empty for the document; `method` the method's name where there is one."""

    effect: Effect
    operation: str
    method: str | None
    where: str
    reason: str


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """`operations` were chosen; each is `typed`, `partial` (something of it is untyped) or `leftOut`."""

    operations: int
    typed: int
    partial: int
    left_out: int
    findings: list[Finding]


class LeftOut(Exception):
    """The operation cannot be said as a method; `where` in it, and `reason`."""

    def __init__(self, where: str, reason: str) -> None:
        self.where, self.reason = where, reason
        super().__init__(reason)


class Notes:
    """The findings of one operation, or of the document; the same is told once."""

    def __init__(self, operation: str = "", method: str | None = None) -> None:
        self.operation, self.method = operation, method
        self._found: dict[tuple[str, str], Effect] = {}

    def untyped(self, where: str, reason: str) -> None:
        self._add("untyped", where, reason)

    def note(self, where: str, reason: str) -> None:
        self._add("note", where, reason)

    def left_out(self, fault: LeftOut) -> None:
        self._add("left_out", fault.where, fault.reason)

    def _add(self, effect: Effect, where: str, reason: str) -> None:
        reason = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}…"
        self._found.setdefault((where[:_LONGEST], reason), effect)

    @property
    def effect(self) -> Effect:
        """The gravest of what was found."""
        return min(self._found.values(), key=_RANK.__getitem__, default="note")

    def findings(self) -> list[Finding]:
        return [
            Finding(effect, self.operation, self.method, where, reason)
            for (where, reason), effect in self._found.items()
        ]


def report_of(document: Notes, operations: list[Notes]) -> Report:
    """The report of the document's findings and of each operation's."""
    effects = [notes.effect for notes in operations]
    findings = [finding for notes in (document, *operations) for finding in notes.findings()]
    counted = {effect: effects.count(effect) for effect in _RANK}
    return Report(len(operations), counted["note"], counted["untyped"], counted["left_out"], findings)
