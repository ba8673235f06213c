"""Whether the database takes writes now, tried without leaving anything behind.

A probe is made when somebody asks, at most once a second, and by one caller for all who ask meanwhile.
"""

import asyncio
import errno
import os
import tempfile
from pathlib import Path
from time import monotonic
from typing import Literal, cast

from app.database.access import Database
from app.database.outages import is_full, is_read_only
from app.database.sqlite_engine import SqliteEngine
from app.database.statements import Statement
from app.errors import Unavailable

Writes = Literal["ok", "no room", "read-only", "failing"]

KEPT_SECONDS = 1.0
#: More than a transaction of a request writes, and less than anybody notices.
_PROBE_BYTES = 65_536
_READS_ONLY = Statement(
    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS told, "
    "set_config('work_mem', '64kB', true)"
)
#: A sort that does not fit into its memory: PostgreSQL writes it to the disk of the database, and removes it.
_SPILLS = Statement("SELECT count(*) FROM (SELECT n FROM generate_series(1, 8000) AS n ORDER BY -n OFFSET 0) AS sorted")
_OF_FILES: dict[int, Writes] = {
    errno.ENOSPC: "no room",
    errno.EDQUOT: "no room",
    errno.EROFS: "read-only",
    errno.EACCES: "read-only",
    errno.EPERM: "read-only",
}


class WriteProbe:
    """What the last second's probe found."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._until = 0.0
        self._trying: asyncio.Future[Writes] | None = None

    async def writes(self) -> Writes:
        """Raises Unavailable where the database does not answer, or its writer is not free in time."""
        if self._trying is None or (self._trying.done() and (monotonic() >= self._until or self._failed())):
            self._trying = asyncio.ensure_future(self._try())
            self._trying.add_done_callback(self._keep)
        # Who gives up waiting does not end it for the others.
        return await asyncio.shield(self._trying)

    def _keep(self, trying: "asyncio.Future[Writes]") -> None:
        self._until = monotonic() + KEPT_SECONDS
        if not trying.cancelled():
            trying.exception()  # those who wait are told; there may be none left

    def _failed(self) -> bool:
        assert self._trying is not None
        return self._trying.cancelled() or self._trying.exception() is not None

    async def _try(self) -> Writes:
        try:
            if self._database.dialect == "sqlite":
                return await self._try_sqlite()
            return await self._try_postgres()
        except Unavailable as error:
            if (cause := error.__cause__) is not None and is_full(cause):
                return "no room"
            if cause is not None and is_read_only(cause):
                return "read-only"
            raise

    async def _try_sqlite(self) -> Writes:
        # BEGIN IMMEDIATE is refused on a file that cannot be written; whether there is room only writing tells.
        async with self._database.transaction():
            pass
        engine = cast(SqliteEngine, self._database.engine)
        return await asyncio.to_thread(_write_beside, Path(engine.path))

    async def _try_postgres(self) -> Writes:
        async with self._database.transaction():
            if (await self._database.fetch(_READS_ONLY))[0]["told"]:
                return "read-only"
            await self._database.fetch(_SPILLS)
        return "ok"


def _write_beside(database: Path) -> Writes:
    try:
        # Unlinked while it is open: a process that is killed leaves nothing either.
        with tempfile.TemporaryFile(dir=database.parent, buffering=0) as file:
            left = _PROBE_BYTES
            while left:
                left -= os.write(file.fileno(), b"\0" * left)
    except OSError as error:
        return _OF_FILES.get(error.errno or 0, "failing")
    return "ok"
