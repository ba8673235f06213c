"""SQLite has one server: a lock in the home folder refuses the second. Commands other than `serve` do not take it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.failures import CommandFailed
from app.settings import Settings, SettingsError

LOCK = "dovetail.lock"


@contextmanager
def serving_alone(settings: Settings) -> Iterator[None]:
    """Hold the lock while the block runs; the kernel lets go of it with the process."""
    if not settings.database.startswith("sqlite:"):
        yield
        return
    path = settings.home / LOCK
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(f"The home folder {settings.home} cannot be used: {error.strerror}.") from error
    try:
        _take(descriptor, settings)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, settings: Settings) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.read(descriptor, 200).decode("utf-8", "replace").strip() or "another process"
        raise CommandFailed(
            "already_serving",
            f"{other} is serving {settings.home.absolute()} already, and a SQLite file has one server. Stop that one, "
            "give this one another DOVETAIL_HOME, or use PostgreSQL (DOVETAIL_DATABASE_URL=postgresql://…).",
            holder=other,
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"Process {os.getpid()} ({settings.url})\n".encode(), 0)
