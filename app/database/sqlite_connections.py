"""SQLite connections, each pinned to its own thread: one hop to the thread and back per statement."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from app.database.pinned_threads import PinnedThread
from app.database.sql_words import leading_verb

T = TypeVar("T")
Shape = Literal["dicts", "rows", "affected"]

# recursive_triggers: without it INSERT OR REPLACE deletes rows behind the back of DELETE triggers.
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=5000",
    "foreign_keys=1",
    "recursive_triggers=1",
    "temp_store=MEMORY",
    "cache_size=-16000",
)
#: What readers have in place of the writer's. Each has a cache of its own, so that what all of them read is in memory
#: as often; a megabyte holds the inner pages of long indexes, and the system's own cache the rest.
READER_PRAGMAS = ("cache_size=-1000", "query_only=1")


class SqliteConnection:
    """One `sqlite3` connection and its thread; calls run in the order in which they were made."""

    def __init__(self, kwargs: dict[str, Any], pragmas: Sequence[str] = PRAGMAS) -> None:
        self._kwargs = {**kwargs, "check_same_thread": False, "cached_statements": 512}
        self._pragmas = pragmas
        self._thread = PinnedThread("sqlite")
        self._raw: sqlite3.Connection | None = None
        self._shapes = {"dicts": self._dicts, "rows": self._rows, "affected": self._affected}

    # --- on the event loop ---

    async def open(self) -> SqliteConnection:
        try:
            await self._call(self._open)
        except BaseException:
            await asyncio.shield(self.close())
            raise
        return self

    async def run(self, shape: Shape, sql: str, args: Sequence[Any] = (), *, inside: bool = False) -> Any:
        """One statement; `inside` refuses it where a failure has ended the transaction already.

        Shapes: `dicts` (what Piccolo expects), `rows` (sqlite3.Row), `affected` (a number of rows).
        """
        return await self._call(self._run_inside if inside else self._run, shape, sql, args)

    async def command(self, sql: str) -> None:
        await self._call(self._rows, sql, ())

    async def settle(self) -> None:
        """Roll back what is open; a connection that cannot is opened anew at its next use."""
        await self._call(self._settle)

    async def close(self) -> None:
        if not self._thread.ended:
            closed = self._call(self._close)
            self._thread.end()
            await asyncio.shield(closed)

    def _call(self, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        if self._thread.ended:
            raise sqlite3.ProgrammingError("the connection is closed")
        return self._thread.call(function, *args)

    # --- on the thread ---

    def _open(self) -> None:
        raw = sqlite3.connect(**self._kwargs)
        try:
            for pragma in self._pragmas:
                raw.execute(f"PRAGMA {pragma}").fetchall()
        except BaseException:
            raw.close()
            raise
        self._raw = raw

    @property
    def raw(self) -> sqlite3.Connection:
        if self._raw is None:
            self._open()
        assert self._raw is not None
        return self._raw

    def _run(self, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
        return self._shapes[shape](sql, args)

    def _run_inside(self, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
        if not self.raw.in_transaction:
            raise sqlite3.ProgrammingError("the transaction was ended by an earlier failure")
        return self._shapes[shape](sql, args)

    def _dicts(self, sql: str, args: Sequence[Any]) -> list[dict[str, Any]]:
        cursor = self.raw.execute(sql, args)
        rows = cursor.fetchall()
        if not rows:
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _rows(self, sql: str, args: Sequence[Any]) -> list[sqlite3.Row]:
        cursor = self.raw.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(sql, args).fetchall()

    def _affected(self, sql: str, args: Sequence[Any]) -> int:
        cursor = self.raw.execute(sql, args)
        cursor.fetchall()
        if cursor.rowcount >= 0:
            return cursor.rowcount
        # `sqlite3` counts no rows for a change that begins with WITH.
        return int(self.raw.execute("SELECT changes()").fetchone()[0]) if leading_verb(sql) == "with" else 0

    def _settle(self) -> None:
        if self._raw is None or not self._raw.in_transaction:
            return
        try:
            self._raw.execute("ROLLBACK")
        except sqlite3.Error:
            self._close()

    def _close(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()
