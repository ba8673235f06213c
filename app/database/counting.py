"""Counting of statements, for tests that hold an operation to a number of round trips."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class StatementLog:
    """The texts of the statements sent while it was open, in order."""

    __slots__ = ("texts",)

    def __init__(self) -> None:
        self.texts: list[str] = []

    @property
    def count(self) -> int:
        return len(self.texts)


#: Opened by this task, or by those that started it.
_inherited: ContextVar[tuple[StatementLog, ...]] = ContextVar("statement logs", default=())


class StatementLogs:
    """The open logs of one engine; false while there is none, so that a sender pays one test.

    A log holds what its block sends, itself or by tasks that it starts: not what the sealer or a duty does meanwhile.
    """

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[StatementLog] = []

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, text: str) -> None:
        mine = _inherited.get()
        for log in self._open:
            if any(log is other for other in mine):
                log.texts.append(text)

    @contextmanager
    def opened(self) -> Iterator[StatementLog]:
        log = StatementLog()
        self._open.append(log)
        before = _inherited.set((*_inherited.get(), log))
        try:
            yield log
        finally:
            _inherited.reset(before)
            self._open = [other for other in self._open if other is not log]
