"""SQLite has one server: a second is refused by the home folder and by the file. `serve` and a restore take both."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.cli.failures import CommandFailed
from app.settings import Settings, SettingsError

LOCK = "dovetail.lock"


@contextmanager
def serving_alone(settings: Settings) -> Iterator[None]:
    """Hold both locks while the block runs; the kernel lets go of them with the process."""
    if not settings.database.startswith("sqlite:"):
        yield
        return
    home = settings.home.absolute()
    with ExitStack() as held:
        held.enter_context(_held(home / LOCK, home, settings))
        file = Path(settings.database.removeprefix("sqlite:///"))
        # Any other URL is refused where the database is opened.
        if file.is_absolute():
            held.enter_context(_held(file_lock(file), file.resolve(), settings))
        yield


def file_lock(file: Path) -> Path:
    """Beside the SQLite file, which another home folder may name too, and by another path."""
    return Path(f"{file.resolve()}.lock")


@contextmanager
def _held(lock: Path, what: Path, settings: Settings) -> Iterator[None]:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        # Never the SQLite file itself: to close it here would let go of the locks that SQLite has on it.
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(f"The folder {lock.parent} cannot be used: {error.strerror}.") from error
    try:
        _take(descriptor, what, settings)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, what: Path, settings: Settings) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.read(descriptor, 200).decode("utf-8", "replace").strip() or "another process"
        raise CommandFailed(
            "already_serving",
            f"{other} is serving {what} already, and a SQLite file has one server. Stop that one, give this one "
            "another DOVETAIL_HOME and file, or use PostgreSQL (DOVETAIL_DATABASE_URL=postgresql://…).",
            holder=other,
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"Process {os.getpid()} ({settings.url})\n".encode(), 0)
