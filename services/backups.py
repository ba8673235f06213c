"""Backups of a home folder: a consistent copy in one tar, with a manifest of what is in it.

The order is what keeps the parts true to each other. Anchors first: one that is younger than the database
would tell of a cut. Keys last: a credential in the database must find its pepper.
"""

import contextlib
import hashlib
import io
import os
import re
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

FORMAT = 1
MANIFEST, DATABASE, ANCHORS, SETTINGS = "manifest.json", "dovetail.sqlite", "anchors.ndjson", "dovetail.toml"
_NAME = re.compile(r"dovetail\.sqlite|anchors\.ndjson|dovetail\.toml|keys/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_MANIFEST_BYTES = 1_048_576


class BackupError(Exception):
    """The backup cannot be made or is not sound; the message says why."""


class Kept(msgspec.Struct, frozen=True):
    """One file of a backup; `sha256` in hex."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is; `migrations` are those that had run, `contract` the version of /integrations/v1."""

    format: int
    created_at: str
    dovetail: str
    contract: str
    engine: str
    keys_only: bool
    migrations: list[str]
    files: list[Kept]


def copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy with what stands in the WAL, while others write; checked before it is called good."""
    # `rw` makes no file where there is none.
    uri = f"{source.absolute().as_uri()}?mode=rw"
    with (
        contextlib.closing(sqlite3.connect(uri, uri=True, timeout=30)) as found,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        # All pages in one step: a copy in parts begins anew whenever another process writes.
        found.backup(copy, pages=-1)
        # A single file from here on, without a WAL of its own.
        copy.execute("PRAGMA journal_mode=DELETE")
        told = copy.execute("PRAGMA quick_check").fetchone()[0]
    if told != "ok":
        raise BackupError(f"the copy of {source} is not sound: {told}")


def migrations_in(database: Path) -> list[str]:
    """The migrations that have run in a SQLite file, oldest first."""
    with contextlib.closing(sqlite3.connect(database)) as found:
        rows = found.execute("SELECT name FROM migration WHERE app_name = 'dovetail' ORDER BY name")
        return [row[0] for row in rows]


def collect(home: Path, into: Path, database: Path | None) -> list[str]:
    """Copy the state of a home to an empty folder; the names of what was copied. `database` None leaves it out."""
    with contextlib.suppress(FileNotFoundError):
        (into / SETTINGS).write_bytes((home / SETTINGS).read_bytes())
    with contextlib.suppress(FileNotFoundError):
        (into / ANCHORS).write_bytes(_whole_lines((home / ANCHORS).read_bytes()))
    if database is not None:
        copy_sqlite(database, into / DATABASE)
    (into / "keys").mkdir(mode=0o700)
    for path in sorted((home / "keys").glob("*")):
        name = f"keys/{path.name}"
        # `tmp…` is a secret that is just being written (app.keyfiles).
        if path.is_file() and _NAME.fullmatch(name) and not path.name.startswith("tmp"):
            (into / name).write_bytes(path.read_bytes())
    return sorted(str(path.relative_to(into)) for path in into.rglob("*") if path.is_file())


def _whole_lines(content: bytes) -> bytes:
    """Without a line that is just being written."""
    return content[: content.rfind(b"\n") + 1]


def kept(folder: Path, name: str) -> Kept:
    with (folder / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Kept(name, file.tell(), digest)


def write_archive(target: Path, folder: Path, manifest: Manifest) -> None:
    """Write the tar in one step, mode 0600. Raises FileExistsError where the target is there already."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                for name, content in _members(folder, manifest):
                    archive.addfile(_member(name, content), content)
            file.flush()
            os.fsync(file.fileno())
        target.hardlink_to(temporary)
    finally:
        Path(temporary).unlink()


def _members(folder: Path, manifest: Manifest) -> Iterator[tuple[str, io.BufferedIOBase]]:
    """The manifest first, so that it can be read without the rest."""
    yield MANIFEST, io.BytesIO(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    for file in manifest.files:
        with (folder / file.name).open("rb") as content:
            yield file.name, content


def _member(name: str, content: io.BufferedIOBase) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.size, found.mode = content.seek(0, os.SEEK_END), 0o600
    content.seek(0)
    return found


def read_manifest(archive: tarfile.TarFile) -> Manifest:
    """The manifest at the archive's beginning. Raises BackupError where there is none that can be read."""
    first = archive.next()
    if first is None or first.name != MANIFEST or not first.isreg() or first.size > _MANIFEST_BYTES:
        raise BackupError("it is no backup of dovetail: it does not begin with a manifest")
    content = archive.extractfile(first)
    assert content is not None
    try:
        manifest = msgspec.json.decode(content.read(), type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupError(f"its manifest cannot be read: {error}") from error
    if manifest.format != FORMAT:
        raise BackupError(f"its format is {manifest.format}, and this version reads {FORMAT}")
    return manifest


def unpack(archive: tarfile.TarFile, manifest: Manifest, into: Path) -> None:
    """Write the files of the manifest, 0600, and nothing else; each must have its hash. Raises BackupError."""
    expected = {file.name: file for file in manifest.files}
    strange = [name for name in expected if not _NAME.fullmatch(name)]
    for member in archive:
        if member.name == MANIFEST:
            continue
        if member.name not in expected or member.name in strange or not member.isreg():
            raise BackupError(f"it holds {member.name!r}, which is no file of a backup")
        content = archive.extractfile(member)
        assert content is not None
        target = into / member.name
        target.parent.mkdir(exist_ok=True, mode=0o700)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            while block := content.read(1_048_576):
                file.write(block)
            os.fsync(file.fileno())
        if kept(into, member.name) != expected.pop(member.name):
            raise BackupError(f"{member.name} is not what was backed up: its hash differs")
    if expected:
        raise BackupError(f"it lacks {', '.join(sorted(expected))}")
