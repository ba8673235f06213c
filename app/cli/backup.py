"""`dovetail backup`: all state in one file, and back."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import json_option
from app.cli.output import emit
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from services.backups import Manifest

_POSTGRES = (
    "The database is PostgreSQL's. Back up keys and anchors with --keys-only, then the database with its own tool:\n"
    "  dovetail backup create --keys-only FILE\n"
    '  pg_dump --format=custom --file=dovetail.dump "$DOVETAIL_DATABASE_URL"\n'
    "To restore, `dovetail backup restore` that file into an empty home, and the dump into an empty database:\n"
    '  pg_restore --no-owner --dbname="$DOVETAIL_DATABASE_URL" dovetail.dump'
)


@click.group()
def backup() -> None:
    """Back up the database, the keys and the anchors into one file, and restore them."""


@backup.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--keys-only", is_flag=True, help="Only keys, anchors and settings; the database has a backup of its own."
)
@json_option
def create(file: Path, keys_only: bool) -> None:
    """Write a backup to FILE, mode 0600; also while the server serves.

    Keep it as secret as the keys: it holds them.
    """
    settings = load_settings()
    if on_postgres(settings) and not keys_only:
        raise CommandFailed("postgres_has_its_own", _POSTGRES)
    if file.exists():
        raise CommandFailed("file_exists", f"{file} is there already; choose another name.", file=str(file))
    manifest = _create(settings, file, keys_only)
    size = file.stat().st_size
    told = {"file": str(file), "bytes": size, "files": [kept.name for kept in manifest.files]}
    told |= {"migrations": manifest.migrations, "engine": manifest.engine, "created_at": manifest.created_at}
    emit(told, f"{len(manifest.files)} files, {size} bytes, written to {file}. It holds the keys; keep it secret.")


def on_postgres(settings: Settings) -> bool:
    return not settings.database.startswith("sqlite:")


def database_file(settings: Settings) -> Path:
    return Path(settings.database.removeprefix("sqlite:///"))


def _create(settings: Settings, file: Path, keys_only: bool) -> "Manifest":
    import sqlite3
    import tempfile

    from services.backups import BackupError, collect, write_archive

    database = None if keys_only else database_file(settings)
    for needed in filter(None, (database, settings.keys_dir)):
        if not needed.exists():
            text = f"There is nothing to back up: {needed} is not there. Does DOVETAIL_HOME name the right folder?"
            raise CommandFailed("nothing_there", text, missing=str(needed))
    try:
        # Beside the target: there must be room for it anyway, and the folder for temporary files may be in memory.
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".dovetail-backup-") as made:
            folder = Path(made)
            manifest = _manifest(folder, collect(settings.home, folder, database), settings, keys_only)
            write_archive(file, folder, manifest)
    except (OSError, sqlite3.Error, BackupError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandFailed("backup_failed", f"The backup could not be made: {reason}.") from error
    return manifest


def _manifest(folder: Path, names: list[str], settings: Settings, keys_only: bool) -> "Manifest":
    from importlib.metadata import version

    from app.cli.rollout_contract import packaged_contract
    from app.clock import SYSTEM_CLOCK, iso
    from services.backups import DATABASE, FORMAT, Manifest, kept, migrations_in

    return Manifest(
        format=FORMAT,
        created_at=iso(SYSTEM_CLOCK.now_ms()),
        dovetail=version("dovetail"),
        contract=packaged_contract("v1").version,
        engine="postgres" if on_postgres(settings) else "sqlite",
        keys_only=keys_only,
        migrations=[] if keys_only else migrations_in(folder / DATABASE),
        files=[kept(folder, name) for name in names],
    )


@backup.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also into a home that is not empty; what is there is kept beside it.")
@json_option
def restore(file: Path, force: bool) -> None:
    """Restore FILE into an empty DOVETAIL_HOME, and verify the audit history."""
    from app.cli.backup_restoring import restore_into, verify

    settings = load_settings()
    manifest, beside = restore_into(settings, file, force)
    told = {"home": str(settings.home.absolute()), "created_at": manifest.created_at, "kept": beside and str(beside)}
    text = f"Restored the backup of {manifest.created_at} into {settings.home.absolute()}."
    if beside is not None:
        text += f"\nWhat was there is in {beside}."
    verify(manifest, settings.database, told, text)
