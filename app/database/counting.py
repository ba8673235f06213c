"""Counting of statements, for tests that hold an operation to a number of round trips."""

from collections.abc import Iterator
from contextlib import contextmanager


class StatementLog:
    """The texts of the statements sent while it was open, in order."""

    __slots__ = ("texts",)

    def __init__(self) -> None:
        self.texts: list[str] = []

    @property
    def count(self) -> int:
        return len(self.texts)


class StatementLogs:
    """The open logs of one engine; false while there is none, so that a sender pays one test."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[StatementLog] = []

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, text: str) -> None:
        for log in self._open:
            log.texts.append(text)

    @contextmanager
    def opened(self) -> Iterator[StatementLog]:
        log = StatementLog()
        self._open.append(log)
        try:
            yield log
        finally:
            self._open = [other for other in self._open if other is not log]
