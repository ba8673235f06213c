"""The one way to the database: transactions, hand-written statements, and the engine for Piccolo."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from piccolo.table import Table

from app.database.counting import StatementLog
from app.database.engines import engine_for
from app.database.outages import is_conflict
from app.database.postgres_engine import PostgresEngine
from app.database.sqlite_engine import SqliteEngine
from app.database.statements import Dialect, Statement
from app.database.transactions import Transaction
from app.errors import Unavailable

T = TypeVar("T")

#: asyncpg.Record or sqlite3.Row: by position and by name, with `keys()`.
Row = Any

_PING = Statement("SELECT 1")
_LOCK = Statement("SELECT pg_advisory_xact_lock(hashtextextended({name}, 0))")


class Database:
    """One database behind one engine. Every method raises Unavailable while the database is away."""

    def __init__(self, url: str, pool_size: int = 4) -> None:
        self.url, self.pool_size = url, pool_size
        self.engine = engine_for(url)
        self.dialect: Dialect = "sqlite" if isinstance(self.engine, SqliteEngine) else "postgres"

    async def start(self) -> None:
        """Open the pool; bound to the running loop."""
        if isinstance(self.engine, SqliteEngine):
            await self.engine.start_connection_pool(readers=self.pool_size)
        else:
            await self.engine.start_connection_pool(size=self.pool_size)

    async def stop(self, *, hurry: bool = False) -> None:
        """With `hurry` connections to PostgreSQL that are in use are cut; SQLite ends what was begun."""
        if hurry and isinstance(self.engine, PostgresEngine):
            self.engine.cut()
        await self.engine.close_connection_pool()

    def transaction(self) -> Transaction:
        """An `async with` block: BEGIN IMMEDIATE on SQLite, READ COMMITTED on PostgreSQL; nested, a savepoint."""
        return self.engine.transaction()

    async def in_transaction(self, fn: Callable[[], Awaitable[T]], retries: int = 3) -> T:
        """`fn` in a transaction, run again after a serialization failure or a deadlock.

        `fn` must have no effect outside the database. Inside another transaction it runs once, in a
        savepoint: only the outermost block can be run again. Raises Unavailable when retries are used up.
        """
        nested = self.engine.live_transaction() is not None
        for attempt in range(retries + 1):
            try:
                async with self.transaction():
                    return await fn()
            except Exception as error:
                if nested or not is_conflict(error):
                    raise
                if attempt == retries:
                    raise Unavailable("Too many changes at the same time; try again shortly.") from error
            await asyncio.sleep(random.uniform(0.5, 1.5) * 0.01 * 2**attempt)  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    async def lock(self, name: str) -> None:
        """Hold the named lock until the transaction ends; on SQLite its one writer is the lock already."""
        if self.engine.live_transaction() is None:
            raise RuntimeError("a lock is held until its transaction ends, and there is none")
        if self.dialect == "postgres":
            await self.fetch(_LOCK, name=name)

    async def fetch(self, statement: Statement, /, **params: Any) -> list[Row]:
        """The rows, with UUID, bool and int columns as those types on both engines."""
        args = statement.arguments(self.dialect, params)
        rows: list[Row] = await self.engine.send("rows", statement.sql(self.dialect), args)
        return rows

    async def execute(self, statement: Statement, /, **params: Any) -> int:
        """The number of rows inserted, changed or deleted; 0 for DDL."""
        args = statement.arguments(self.dialect, params)
        count: int = await self.engine.send("affected", statement.sql(self.dialect), args)
        return count

    @property
    def transactions_ended(self) -> int:
        """How many transactions of this process have ended, in whichever way."""
        return self.engine.transactions_ended

    async def ping(self) -> None:
        """Returns when the database answers; raises Unavailable when it does not."""
        await self.fetch(_PING)

    def count_statements(self) -> AbstractContextManager[StatementLog]:
        """`.count` and `.texts` of what the block sends to this database, itself or by tasks that it starts."""
        return self.engine.logs.opened()


def open_database(url: str, pool_size: int = 4) -> Database:
    """A database that has not connected; raises ValueError for a URL of another kind."""
    return Database(url, pool_size)


def bind(database: Database, tables: Iterable[type[Table]]) -> None:
    """Make table classes query this database, until they are bound to another."""
    for table in tables:
        table._meta.db = database.engine
