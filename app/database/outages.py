"""Which driver errors are outages, and their translation to `Unavailable`."""

import sqlite3
from types import TracebackType

import asyncpg  # type: ignore[import-untyped]

from app.errors import Unavailable

_POSTGRES = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.LockNotAvailableError,
    # The driver's own confusion over a connection that was told to end and is not closed yet.
    asyncpg.InternalClientError,
    # The server answers, but not to us: it is being restored, or a name or a password was changed under us.
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    # A standby, or a primary that was told to take no writes.
    asyncpg.ReadOnlySQLTransactionError,
)
_SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
}
AWAY = "The database is not available; try again shortly."
NO_ROOM = "The database has no room on its disk, so nothing was written; try again when there is."
READ_ONLY = "The database takes no writes now, so nothing was written; try again later."
_CLOSED = ("connection is closed", "pool is closing", "pool is closed", "connection has been released")


def is_outage(error: BaseException) -> bool:
    """Whether the error says that the database is away, full or busy, and not that a statement is wrong."""
    if isinstance(error, sqlite3.Error):
        # The low byte is the primary code; the rest tells its kind (sqlite.org/rescode.html).
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _SQLITE
    if isinstance(error, asyncpg.InterfaceError):
        return any(words in str(error) for words in _CLOSED)
    return isinstance(error, _POSTGRES)


def is_full(error: BaseException) -> bool:
    """Whether the disk of the database has no room: 53100 of PostgreSQL, SQLITE_FULL."""
    return isinstance(error, asyncpg.DiskFullError) or getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL


def is_read_only(error: BaseException) -> bool:
    """Whether the database can be read and not written: 25006 of PostgreSQL, SQLITE_READONLY."""
    if isinstance(error, sqlite3.Error):
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_READONLY
    return isinstance(error, asyncpg.ReadOnlySQLTransactionError)


def is_conflict(error: BaseException) -> bool:
    """Whether the same transaction may succeed when run again: 40001 and 40P01 of PostgreSQL."""
    return getattr(error, "sqlstate", None) in ("40001", "40P01")


def _words(error: BaseException) -> str:
    if is_full(error):
        return NO_ROOM
    return READ_ONLY if is_read_only(error) else AWAY


class Translated:
    """A context that lets an outage out as `Unavailable`, `from` the driver's error; it holds no state."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and is_outage(error):
            raise Unavailable(_words(error)) from error


translated = Translated()
