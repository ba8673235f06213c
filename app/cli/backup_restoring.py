"""Putting a backup back: unpacked and checked beside, moved into the home only when it is whole."""

import asyncio
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.backup import database_file, on_postgres
from app.cli.failures import CommandFailed
from app.cli.output import emit, print_json, wants_json
from app.cli.serving_alone import LOCK, file_lock, serving_alone
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from services.backups import Manifest


def restore_into(settings: Settings, file: Path, force: bool) -> "tuple[Manifest, Path | None]":
    """Restore while no server can start; what was there is returned as the folder where it is kept."""
    with serving_alone(settings):
        home = settings.home.absolute()
        home.mkdir(parents=True, exist_ok=True)
        there = _occupants(settings)
        if there and not force:
            names = ", ".join(sorted(path.name for path in there)[:5])
            text = f"{home} is not empty ({names}). Restore into an empty DOVETAIL_HOME, or use --force, which keeps "
            text += "what is there in a folder beside it."
            raise CommandFailed("home_not_empty", text, home=str(home))
        with tempfile.TemporaryDirectory(dir=home, prefix=".restoring-") as made:
            manifest = _unpacked(settings, file, Path(made))
            beside = _set_aside(home, there) if there else None
            _move_in(settings, Path(made))
        if not manifest.keys_only:
            asyncio.run(_break_off(settings, manifest))
        return manifest, beside


async def _break_off(settings: Settings, manifest: "Manifest") -> None:
    """Consumers that read after the backup was made must begin anew: what they saw then may be gone."""
    from app.clock import SYSTEM_CLOCK
    from app.database import open_database
    from services.changes import KEPT_SINCE, break_off_changes

    if KEPT_SINCE not in manifest.migrations:
        return
    database = open_database(settings.database)
    await database.start()
    try:
        await break_off_changes(database, SYSTEM_CLOCK.now_ms())
    finally:
        await database.stop()


def _occupants(settings: Settings) -> list[Path]:
    """Whatever a restore would mix with; the locks are ours."""
    found = [path for path in settings.home.absolute().iterdir() if path.name != LOCK]
    if on_postgres(settings):
        return found
    database = database_file(settings)
    found = [path for path in found if path.resolve() != file_lock(database)]
    elsewhere = [database, Path(f"{database}-wal"), Path(f"{database}-shm")]
    return found + [path for path in elsewhere if path.parent != settings.home.absolute() and path.exists()]


def _unpacked(settings: Settings, file: Path, into: Path) -> "Manifest":
    from services.backups import BackupError, read_manifest, unpack

    try:
        with tarfile.open(file, mode="r:") as archive:
            manifest = read_manifest(archive)
            _refuse_foreign(settings, manifest)
            unpack(archive, manifest, into)
    except (BackupError, tarfile.TarError, EOFError) as error:
        text = f"{file} cannot be restored: {error}. Nothing was changed."
        raise CommandFailed("backup_unsound", text, file=str(file)) from error
    return manifest


def _refuse_foreign(settings: Settings, manifest: "Manifest") -> None:
    from app.database.migrating import APP
    from app.database.snapshots import load_migrations, migrations_folder

    if on_postgres(settings) and not manifest.keys_only:
        text = "The backup holds a SQLite database, and DOVETAIL_DATABASE_URL names PostgreSQL. Nothing was changed."
        raise CommandFailed("other_engine", text)
    unknown = sorted(set(manifest.migrations) - set(load_migrations(migrations_folder(APP))))
    if unknown:
        text = f"The backup is of a later version (dovetail {manifest.dovetail}); install that one first."
        raise CommandFailed("later_version", text, migrations=unknown)


def _set_aside(home: Path, there: list[Path]) -> Path:
    """Move what is there to a folder beside the home, file by file: the home itself may be a mount."""
    from app.clock import SYSTEM_CLOCK, iso

    stamp = iso(SYSTEM_CLOCK.now_ms()).replace(":", "").replace("-", "").replace(".", "")
    beside = home.with_name(f"{home.name}.before-restore-{stamp}")
    try:
        beside.mkdir(mode=0o700)
        for path in there:
            path.rename(beside / path.name)
    except OSError as error:
        text = f"What is in {home} cannot be kept in {beside}: {error.strerror}. Move it away by hand, and try again."
        raise CommandFailed("cannot_keep", text, home=str(home)) from error
    return beside


def _move_in(settings: Settings, folder: Path) -> None:
    from services.backups import DATABASE

    home = settings.home.absolute()
    for path in sorted(folder.iterdir()):
        target = home / path.name
        if path.name == DATABASE and not on_postgres(settings):
            target = database_file(settings)
            target.parent.mkdir(parents=True, exist_ok=True)
        if target.parent == home:
            path.rename(target)
        else:
            _move_far(path, target)


def _move_far(path: Path, target: Path) -> None:
    """To what may be another file system."""
    import shutil

    shutil.move(path, target)


def verify(manifest: "Manifest", database: str, told: dict[str, Any], text: str) -> None:
    """Walk the audit chains of what was restored; with faults the command ends with exit code 1."""
    settings = load_settings()
    if settings.database != database:
        text += f"\nIts dovetail.toml names another database than the one that was restored, {database}."
        raise CommandFailed("settings_differ", f"{text} Correct the file, then run `dovetail audit verify`.", **told)
    if manifest.keys_only:
        after = (
            "Restore the database too (pg_restore), then run `dovetail consumers resync` and `dovetail audit verify`."
        )
        emit(told | {"verified": None}, f"{text}\n{after}")
        return
    waiting = _waiting(settings)
    if waiting:
        after = f"It waits for {len(waiting)} migration(s): run `dovetail migrate`, then `dovetail audit verify`."
        emit(told | {"verified": None, "pending": waiting}, f"{text}\n{after}")
        return
    reports = asyncio.run(_reports(settings))
    faults = [f"{f.tenant} seq {f.seq}: {f.kind}: {f.text}" for report in reports for f in report.faults]
    if wants_json():
        print_json(told | {"verified": not faults, "faults": faults})
    else:
        events = sum(report.events for report in reports)
        end = "\n".join(faults) or f"{len(reports)} audit chains, {events} events: all sound."
        click.echo(f"{text}\n{end}")
    if faults:
        click.get_current_context().exit(1)


def _waiting(settings: Settings) -> list[str]:
    from app.cli.migrate import waiting_migrations

    return waiting_migrations(settings)


async def _reports(settings: Settings) -> list[Any]:
    from app.auth.principal import NO_TENANT
    from app.cli.sessions import opened
    from services.chain.anchors import anchor_file, read_anchors
    from services.chain.verifying import verify_chain
    from services.tenants import all_tenants

    async with opened(settings) as runtime:
        anchors = read_anchors(anchor_file(settings.home))
        await runtime.sealer.seal_all()
        tenants = {NO_TENANT, *(row["id"] for row in await all_tenants()), *(anchor.tenant for anchor in anchors)}
        return [await verify_chain(runtime.database, runtime.audit_key, tenant, anchors) for tenant in sorted(tenants)]
