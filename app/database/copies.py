"""Copies of a SQLite file, taken before migrations: the way back."""

import contextlib
import sqlite3
from pathlib import Path

KEPT = 3


def copy_path(path: str, migration_id: str) -> Path:
    """Where the copy is that was taken before this migration; colons would mislead scp and rsync."""
    return Path(f"{path}.before-{migration_id.replace(':', '-')}")


def copies_of(path: str) -> list[Path]:
    """The copies of the file, oldest migration first."""
    file = Path(path)
    return sorted(found for found in file.parent.glob(f"{file.name}.before-*") if found.suffix != ".part")


def take_copy(path: str, migration_id: str) -> Path | None:
    """A consistent copy, also while others write; None for a file without tables. The last three stay."""
    target = copy_path(path, migration_id)
    part = target.with_name(f"{target.name}.part")
    with contextlib.closing(sqlite3.connect(path, timeout=5)) as source:
        if not source.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return None
        part.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
    part.chmod(Path(path).stat().st_mode & 0o777)
    part.replace(target)
    for old in copies_of(path)[:-KEPT]:
        old.unlink(missing_ok=True)
    return target
