"""The PostgreSQL engine: an asyncpg pool behind a fair gate, with no reset between borrowers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import asyncpg  # type: ignore[import-untyped]
from piccolo.engine.postgres import PostgresEngine as PiccoloPostgresEngine
from piccolo.querystring import QueryString

from app.database.counting import StatementLogs
from app.database.gates import ACQUIRE_SECONDS, Gate
from app.database.outages import translated
from app.database.postgres_connections import PlainConnection, Shape, run
from app.database.transactions import Transaction

COMMAND_SECONDS = 30.0


class PostgresEngine(PiccoloPostgresEngine):
    """Statements outside a transaction run in autocommit on any pooled connection.

    Before `start_connection_pool` each has a connection of its own, as upstream. Outages raise
    Unavailable; a connection that was lost is replaced at its next use.
    """

    def __init__(self, url: str) -> None:
        self.logs = StatementLogs()
        self._gate: Gate | None = None
        super().__init__(
            config={"dsn": url, "timeout": ACQUIRE_SECONDS, "server_settings": {"application_name": "dovetail"}}
        )

    async def check_version(self) -> None:
        """Nothing: constructing an engine must not depend on a database."""

    # --- life ---

    async def start_connection_pool(self, size: int = 4, **_: Any) -> None:
        """Raises Unavailable where the server does not answer."""
        if self.pool is not None:
            return
        # min_size 0: an outage must not leave a task behind that reconnects for ever.
        pool = asyncpg.create_pool(
            **self.config,
            min_size=0,
            max_size=size,
            command_timeout=COMMAND_SECONDS,
            connection_class=PlainConnection,
        )
        with translated:
            await pool
            try:
                await pool.fetchval("SELECT 1")
            except BaseException:
                pool.terminate()
                raise
        self.pool, self._gate = pool, Gate(size)

    async def close_connection_pool(self) -> None:
        pool, self.pool = self.pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                await pool.close()
        except TimeoutError:
            pool.terminate()

    async def connect(self) -> Any:
        """A connection outside the pool, without the time limit on commands."""
        return await asyncpg.connect(**self.config, connection_class=PlainConnection)

    async def get_new_connection(self) -> Any:
        with translated:
            return await self.connect()

    # --- transactions ---

    def live_transaction(self) -> Transaction | None:
        transaction: Any = self.current_transaction.get()
        return transaction if transaction is not None and transaction.live else None

    def transaction(self, allow_nested: bool = True) -> Transaction:  # type: ignore[override]
        return Transaction(self, "BEGIN", allow_nested)

    async def checkout(self) -> Any:
        pool, gate = self.pool, self._gate
        if pool is None or gate is None:
            return await self.connect()
        await gate.enter()
        try:
            return await pool.acquire()
        except BaseException:
            gate.leave()
            raise

    async def checkin(self, connection: Any) -> None:
        with contextlib.suppress(Exception):
            if connection.is_in_transaction():
                await connection.execute("ROLLBACK")
        with contextlib.suppress(Exception):
            await self._give_back(connection)

    async def command(self, connection: Any, sql: str) -> None:
        tag = await connection.execute(sql)
        if sql == "COMMIT" and tag == "ROLLBACK":
            # PostgreSQL says nothing more when a block swallowed the error of one of its statements.
            raise asyncpg.InFailedSQLTransactionError("an earlier statement failed, so nothing was committed")

    # --- statements ---

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Any:
        sql, args = querystring.compile_string(engine_type="postgres")
        return await self.send("rows", sql, args)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> Any:
        return await self.send("rows", ddl, ())

    async def send(self, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
        """One statement, in the transaction of this task where there is one."""
        if self.logs:
            self.logs.add(sql)
        transaction = self.live_transaction()
        with translated:
            if transaction is not None:
                async with transaction.turn:
                    return await run(transaction.connection, shape, sql, args)
            connection = await self.checkout()
            try:
                return await run(connection, shape, sql, args)
            finally:
                await self._give_back(connection)

    async def _give_back(self, connection: Any) -> None:
        """Cheaper than checkin where no transaction can be open; asyncpg shields its own release."""
        pool, gate = self.pool, self._gate
        if pool is None or gate is None or not isinstance(connection, asyncpg.pool.PoolConnectionProxy):
            await connection.close(timeout=ACQUIRE_SECONDS)
            return
        try:
            with contextlib.suppress(asyncpg.InterfaceError, OSError):
                await pool.release(connection)
        finally:
            gate.leave()
