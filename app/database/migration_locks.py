"""One process migrates at a time; the others wait, and then find nothing to do."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

from app.database.access import Database
from app.database.engines import DatabaseEngine
from app.database.gates import ACQUIRE_SECONDS
from app.database.outages import translated
from app.database.sqlite_engine import SqliteEngine
from app.errors import Unavailable
from app.file_locks import take_file_lock

WAIT_SECONDS = 300.0
_KEY = 0x646F76657461696C  # "dovetail"; advisory locks are apart for each database.


@contextlib.asynccontextmanager
async def migration_lock(database: Database) -> AsyncIterator[None]:
    """Hold the lock; raises Unavailable after five minutes. A process that dies lets it go."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await stack.enter_async_context(_held(database.engine))
        except TimeoutError as error:
            raise Unavailable("Another process has been migrating the database for too long.") from error
        yield


@contextlib.asynccontextmanager
async def _held(engine: DatabaseEngine) -> AsyncIterator[None]:
    if isinstance(engine, SqliteEngine):
        with translated:
            descriptor = os.open(f"{engine.path}.migrate.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            await take_file_lock(descriptor)
            yield
        finally:
            os.close(descriptor)
        return
    with translated:
        connection = await engine.connect()
    try:
        with translated:
            await connection.execute(f"SELECT pg_advisory_lock({_KEY})")
        yield
    finally:
        # Closed or not, the server lets go of the lock once the connection has gone.
        with contextlib.suppress(OSError):
            await asyncio.shield(connection.close(timeout=ACQUIRE_SECONDS))
