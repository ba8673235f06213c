"""How far an import has come: counted, and kept in a file so that a broken-off one can go on."""

import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import msgspec

#: Bad lines kept with their reasons; the rest is only counted.
MOST_TOLD = 1_000


class BadLine(msgspec.Struct, frozen=True):
    line: int
    reason: str


class Progress(msgspec.Struct):
    """`line` is the last one that is done; `queued` counts the syncs asked for."""

    line: int = 0
    created: int = 0
    known: int = 0
    queued: int = 0
    bad: int = 0
    warnings: int = 0
    finished: bool = False
    bad_lines: list[BadLine] = []

    def refuse(self, line: int, reason: str) -> None:
        self.bad += 1
        if len(self.bad_lines) < MOST_TOLD:
            self.bad_lines.append(BadLine(line, reason))


def progress_file(home: Path, tenant: UUID, file: BinaryIO) -> Path:
    """Where the import of this content into this tenant is kept; leaves the file at its start."""
    mark = hashlib.sha256(tenant.bytes)
    while block := file.read(1 << 20):
        mark.update(block)
    file.seek(0)
    return home / "imports" / f"{mark.hexdigest()}.json"


def size_of(file: BinaryIO) -> int:
    """Bytes in a file that can be sought; leaves it at its start."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size


def load_progress(path: Path) -> Progress | None:
    """What is kept; None where there is nothing, or nothing that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Progress)
    except (OSError, msgspec.DecodeError):
        return None


def save_progress(path: Path, progress: Progress) -> None:
    """Whole or not at all: the process may be killed at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".import-")
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(progress))
    Path(temporary).replace(path)
