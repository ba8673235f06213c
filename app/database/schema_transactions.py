"""Transactions that change the schema: on a connection of their own, without the limits of a request."""

from __future__ import annotations

import contextlib
from typing import Any

from app.database.engines import DatabaseEngine
from app.database.sqlite_connections import PRAGMAS
from app.database.sqlite_engine import SqliteEngine
from app.database.transactions import Transaction

# A change that waits for a lock holds up everybody behind it; better to fail and be run again.
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '10s'"


class _Apart:
    """An engine's transactions, but on a connection outside its pool."""

    def __init__(self, engine: DatabaseEngine, foreign_keys: bool) -> None:
        self.engine, self.foreign_keys = engine, foreign_keys
        self.current_transaction: Any = engine.current_transaction
        self.live_transaction = engine.live_transaction
        self.command = engine.command
        self.transactions_ended = 0

    async def checkout(self) -> Any:
        if not isinstance(self.engine, SqliteEngine):
            return await self.engine.connect()
        # Inside a transaction this pragma does nothing, so it is set before.
        return await self.engine.connect((*PRAGMAS, f"foreign_keys={int(self.foreign_keys)}"))

    async def checkin(self, connection: Any, *, ended: bool) -> None:
        with contextlib.suppress(Exception):
            await connection.close()


@contextlib.asynccontextmanager
async def schema_transaction(engine: DatabaseEngine, *, foreign_keys: bool) -> Any:
    """A transaction that Piccolo's queries and raw steps join; `foreign_keys` is for SQLite alone.

    A rebuild needs them off: to drop the old table would delete the rows that refer to it.
    """
    sqlite = isinstance(engine, SqliteEngine)
    begin = "BEGIN IMMEDIATE" if sqlite else "BEGIN"
    async with Transaction(_Apart(engine, foreign_keys), begin, allow_nested=False) as transaction:
        if not sqlite:
            await transaction.command(LOCK_TIMEOUT)
        yield transaction
