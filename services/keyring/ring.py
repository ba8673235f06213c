"""Changes of a ring's file: one at a time, and the file is whole at every moment."""

import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.auth.encryption import read_keys
from app.auth.peppers import RingFile, new_pepper, read_ring, rendered
from app.errors import Conflict, NotFound

_NUMBERED = re.compile(r"[pk](\d{1,6})")


def add_pepper(path: Path, used: Collection[str] = ()) -> str:
    """Make a pepper, and make it the current one; its id is none that is in the ring or was `used` before."""
    return _add(path, used, lambda: read_ring(path), "p")


def add_encryption_key(path: Path, used: Collection[str] = ()) -> str:
    """Make an encryption key, and make it the current one; its id was never used."""
    return _add(path, used, lambda: read_keys(path), "k")


def _add(path: Path, used: Collection[str], read: Callable[[], RingFile], letter: str) -> str:
    with _alone(path):
        file = read()
        name = _next_id({*file.ring, *used}, letter)
        _write(path, rendered(name, file.ring | {name: new_pepper()}))
        return name


def drop_pepper(path: Path, name: str) -> None:
    """Take a pepper out of the ring for good. Raises NotFound, and Conflict for the current one."""
    with _alone(path):
        file = read_ring(path)
        check_droppable(file.ring, file.current, name)
        _write(path, rendered(file.current, {kept: text for kept, text in file.ring.items() if kept != name}))


def drop_encryption_key(path: Path, name: str) -> None:
    """Take an encryption key out of the ring for good. Raises NotFound, and Conflict for the current one."""
    with _alone(path):
        file = read_keys(path)
        if name not in file.ring:
            raise NotFound(f"There is no encryption key {name}; the ring has {', '.join(sorted(file.ring))}.")
        if name == file.current:
            raise Conflict(f"{name} is the current key: secrets are sealed with it. Rotate first.")
        _write(path, rendered(file.current, {kept: text for kept, text in file.ring.items() if kept != name}))


def check_droppable(ring: Collection[str], current: str, name: str) -> None:
    if name not in ring:
        raise NotFound(f"There is no pepper {name}; the ring has {', '.join(sorted(ring))}.")
    if name == current:
        raise Conflict(f"{name} is the current pepper: new keys are hashed with it. Add another one first.")


def _next_id(taken: Collection[str], letter: str) -> str:
    numbers = [int(found[1]) for name in taken if (found := _NUMBERED.fullmatch(name))]
    return f"{letter}{max(numbers, default=0) + 1}"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Two that change the ring at once would each lose the other's pepper, and with it every key under it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes) -> None:
    """Replace the file in one step, mode 0600; a crash leaves the old one or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
