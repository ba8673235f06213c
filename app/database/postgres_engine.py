"""The PostgreSQL engine: statements on pooled connections, and transactions that hold one."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import asyncpg  # type: ignore[import-untyped]
from piccolo.engine.postgres import PostgresEngine as PiccoloPostgresEngine
from piccolo.querystring import QueryString

from app.database.gates import ACQUIRE_SECONDS
from app.database.outages import translated
from app.database.postgres_connections import PlainConnection, Shape, run
from app.database.postgres_pool import PostgresPool
from app.database.sending import SendingEngine
from app.database.transactions import Transaction

#: How long a statement of a request may take. With the wait for a connection it bounds what a hanging database costs.
COMMAND_SECONDS = 10.0


class PostgresEngine(SendingEngine[Shape], PiccoloPostgresEngine):
    """Statements outside a transaction run in autocommit on any pooled connection.

    Before `start_connection_pool` each has a connection of its own, as upstream. Outages raise
    Unavailable; a connection that was lost is replaced at its next use.
    """

    def __init__(self, url: str) -> None:
        super().__init__(
            config={"dsn": url, "timeout": ACQUIRE_SECONDS, "server_settings": {"application_name": "dovetail"}}
        )

    # --- life ---

    async def start_connection_pool(self, size: int = 4, **_: Any) -> None:
        """Raises Unavailable where the server does not answer."""
        if self.pool is not None:
            return
        pool = PostgresPool(lambda: self.connect(command_timeout=COMMAND_SECONDS), size)
        with translated:
            pool.release(await pool.acquire())
        # Upstream's is asyncpg's, and only tested for being there.
        self.pool = pool

    async def close_connection_pool(self) -> None:
        pool, self.pool = self._own_pool, None
        if pool is not None:
            await pool.close()

    def cut(self) -> None:
        """Close the pool as it is: what is on its way ends with Unavailable."""
        pool, self.pool = self._own_pool, None
        if pool is not None:
            pool.terminate()

    @property
    def _own_pool(self) -> PostgresPool | None:
        pool: PostgresPool | None = self.pool
        return pool

    async def connect(self, **given: Any) -> Any:
        """A connection outside the pool, without a time limit on commands unless one is given."""
        return await asyncpg.connect(**self.config, **given, connection_class=PlainConnection)

    async def get_new_connection(self) -> Any:
        with translated:
            return await self.connect()

    # --- transactions ---

    def transaction(self, allow_nested: bool = True) -> Transaction:  # type: ignore[override]
        return Transaction(self, "BEGIN", allow_nested)

    async def checkout(self) -> Any:
        pool = self._own_pool
        return await (self.connect() if pool is None else pool.acquire())

    async def checkin(self, connection: Any, *, ended: bool) -> None:
        pool: PostgresPool | None = connection.home
        if pool is None:
            with contextlib.suppress(Exception):
                await connection.close(timeout=ACQUIRE_SECONDS)
        elif ended:
            pool.release(connection)
        else:
            await pool.repair(connection)

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

    async def _send_alone(self, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
        pool = self._own_pool
        if pool is None:
            connection = await self.connect()
            try:
                return await run(connection, shape, sql, args)
            finally:
                await connection.close(timeout=ACQUIRE_SECONDS)
        connection = await pool.acquire()
        ended = False
        try:
            result = await run(connection, shape, sql, args)
            ended = True
        except asyncpg.PostgresError:
            # The server's own word: it has ended the statement and waits for the next.
            ended = True
            raise
        finally:
            pool.release(connection, interrupted=not ended)
        return result

    async def _send_inside(self, connection: Any, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
        try:
            return await run(connection, shape, sql, args)
        except asyncpg.InvalidCachedStatementError:
            # Outside a transaction the driver does this, and tries again, by itself.
            if connection.home is not None:
                await connection.home.forget_statements()
            raise
