"""A small pool of PostgreSQL connections: going back costs a list's append, and no task as in asyncpg's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from app.database.gates import ACQUIRE_SECONDS, Gate
from app.database.postgres_connections import PlainConnection

#: A connection that rested longer is made anew: what stands between may have forgotten it.
IDLE_SECONDS = 300.0
#: How long an interrupted statement may take to be cancelled.
REPAIR_SECONDS = 5.0


class PostgresPool:
    """Up to `size` connections, made when they are first needed, behind a fair gate.

    A connection goes back as it is after a statement that ended, and is repaired first where one was
    interrupted: nobody gets a connection in a transaction or in the middle of an answer.
    """

    def __init__(self, connect: Callable[[], Awaitable[PlainConnection]], size: int) -> None:
        self._connect, self._size = connect, size
        self.gate = Gate(size, ACQUIRE_SECONDS)
        self._idle: list[PlainConnection] = []
        self._all: set[PlainConnection] = set()
        self._repairs: set[asyncio.Task[None]] = set()

    async def acquire(self) -> PlainConnection:
        """Raises TimeoutError where none gets free in time, and what the driver raises where none can be made.

        The wait for a place and the making of a connection share one bound.
        """
        until = monotonic() + ACQUIRE_SECONDS
        await self.gate.enter()
        while self._idle:
            # The one used last: the others may rest long enough to be let go.
            connection = self._idle.pop()
            if not connection.is_closed() and monotonic() - connection.idle_since < IDLE_SECONDS:
                return connection
            self._drop(connection)
        try:
            async with asyncio.timeout(until - monotonic()):
                connection = await self._connect()
        except BaseException:
            self.gate.leave()
            raise
        connection.home = self
        self._all.add(connection)
        return connection

    def release(self, connection: PlainConnection, *, interrupted: bool = False) -> None:
        """Give a connection back; `interrupted` says that its last statement may not have ended."""
        if interrupted or connection.is_closed() or connection.is_in_transaction():
            task = asyncio.get_running_loop().create_task(self.repair(connection))
            self._repairs.add(task)
            task.add_done_callback(self._repairs.discard)
        else:
            self._rest(connection)

    async def repair(self, connection: PlainConnection) -> None:
        """Give a connection back once nothing runs on it and no transaction is open; else end it."""
        try:
            if not connection.is_closed():
                async with asyncio.timeout(REPAIR_SECONDS):
                    # asyncpg sends nothing before the cancellation under way has been answered.
                    await connection.execute("ROLLBACK" if connection.is_in_transaction() else "SELECT 1")
                    if connection.is_in_transaction():
                        await connection.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - whatever it is, the connection is not used again
            connection.terminate()
        except BaseException:
            connection.terminate()
            raise
        finally:
            self._rest(connection)

    def _rest(self, connection: PlainConnection) -> None:
        if connection.is_closed():
            self._drop(connection)
        else:
            connection.idle_since = monotonic()
            self._idle.append(connection)
        self.gate.leave()

    def _drop(self, connection: PlainConnection) -> None:
        self._all.discard(connection)
        connection.terminate()

    async def forget_statements(self) -> None:
        """Prepare every statement anew: a table has changed under those that are prepared."""
        for connection in self._all:
            await connection.reload_schema_state()

    async def close(self) -> None:
        """Wait for what is in use, as long as anybody waits for a connection; then end all."""
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                for _ in range(self._size):
                    await self.gate.enter()
                await asyncio.gather(*(connection.close() for connection in self._all))
        except TimeoutError:
            self.terminate()

    def terminate(self) -> None:
        for connection in list(self._all):
            self._drop(connection)
