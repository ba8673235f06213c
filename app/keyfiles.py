"""Secrets that are made at first start: one file each under the home folder, mode 0600."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def read_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's bytes; where there is none, `make()` is written first.

    Two processes that start together end with the same bytes: the file appears whole, by a hard link
    from a finished temporary file, and who comes second reads the first one's.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            _link_unless_present(Path(temporary), path)
        finally:
            Path(temporary).unlink()
    return path.read_bytes()


def _link_unless_present(source: Path, target: Path) -> None:
    if target.exists():
        return
    try:
        target.hardlink_to(source)
    except FileExistsError:
        return
