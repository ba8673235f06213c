"""The SQLite engine: one writer, several readers that refuse to write, WAL."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from typing import Any

from piccolo.engine.sqlite import SQLiteEngine, TransactionType
from piccolo.querystring import QueryString

from app.database.gates import Gate
from app.database.outages import translated
from app.database.sending import SendingEngine
from app.database.sql_words import only_reads
from app.database.sqlite_connections import PRAGMAS, READER_PRAGMAS, Shape, SqliteConnection
from app.database.transactions import Transaction


class _Pool:
    """The open connections of a started engine, behind fair gates."""

    def __init__(self, writer: SqliteConnection, readers: list[SqliteConnection]) -> None:
        self.writer, self.readers = writer, readers
        self.all = (writer, *readers)
        self.writing, self.reading = Gate(1), Gate(len(readers))


class SqliteEngine(SendingEngine[Shape], SQLiteEngine):
    """Outside a transaction reads go to a reader and all else to the writer, in autocommit.

    Before `start_connection_pool` every statement and every transaction has a connection of its own.
    Outages raise Unavailable; other driver errors pass as they are.
    """

    def __init__(self, path: str, **kwargs: Any) -> None:
        self._pool: _Pool | None = None
        super().__init__(path=path, timeout=5.0, **kwargs)

    # --- life ---

    async def start_connection_pool(self, readers: int = 4, **_: Any) -> None:
        if self._pool is not None:
            return
        with translated:
            writer = await self.connect()
            opened = [writer]
            try:
                for _number in range(readers):
                    opened.append(await self.connect((*PRAGMAS, *READER_PRAGMAS)))
            except BaseException:
                await asyncio.gather(*(connection.close() for connection in opened), return_exceptions=True)
                raise
        self._pool = _Pool(writer, opened[1:])

    async def close_connection_pool(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        with contextlib.suppress(TimeoutError):
            await pool.writing.enter()
        # The writer last: closing the last connection folds the WAL into the file.
        for connection in reversed(pool.all):
            await connection.close()

    async def connect(self, pragmas: Sequence[str] = PRAGMAS) -> SqliteConnection:
        return await SqliteConnection(self.connection_kwargs, pragmas).open()

    # --- transactions ---

    def transaction(  # type: ignore[override]
        self, transaction_type: TransactionType = TransactionType.immediate, allow_nested: bool = True
    ) -> Transaction:
        """BEGIN IMMEDIATE: a deferred transaction that reads and then writes cannot wait for its turn."""
        return Transaction(self, f"BEGIN {transaction_type.value}", allow_nested)

    def atomic(self, transaction_type: TransactionType = TransactionType.immediate) -> Any:
        return super().atomic(transaction_type)

    async def checkout(self) -> SqliteConnection:
        if self._pool is None:
            return await self.connect()
        await self._pool.writing.enter()
        return self._pool.writer

    async def checkin(self, connection: SqliteConnection, *, ended: bool) -> None:
        pool = self._pool
        if not ended:
            with contextlib.suppress(sqlite3.Error):
                await connection.settle()
        if pool is not None and connection is pool.writer:
            pool.writing.leave()
        else:
            await connection.close()

    async def command(self, connection: SqliteConnection, sql: str) -> None:
        await connection.command(sql)

    # --- statements ---

    async def run_querystring(self, querystring: QueryString, in_pool: bool = False) -> Any:
        sql, args = querystring.compile_string(engine_type="sqlite")
        return await self.send("dicts", sql, args)

    async def run_ddl(self, ddl: str, in_pool: bool = False) -> Any:
        return await self.send("dicts", ddl, ())

    async def _send_inside(self, connection: SqliteConnection, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
        return await connection.run(shape, sql, args, inside=True)

    async def _send_alone(self, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
        pool = self._pool
        if pool is None:
            return await self._send_once(shape, sql, args)
        reads = only_reads(sql)
        gate = pool.reading if reads else pool.writing
        await gate.enter()
        connection = pool.readers.pop() if reads else pool.writer
        try:
            return await connection.run(shape, sql, args)
        finally:
            if reads:
                pool.readers.append(connection)
            gate.leave()

    async def _send_once(self, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
        connection = await self.connect()
        try:
            return await connection.run(shape, sql, args)
        finally:
            await asyncio.shield(connection.close())
