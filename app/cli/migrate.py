"""`dovetail migrate`: bring the database to what this version needs."""

import asyncio
from pathlib import Path

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.logs import quiet_logs
from app.cli.options import json_option
from app.cli.output import emit
from app.cli.sessions import not_migrated
from app.settings import Settings, SettingsError, load_settings


@click.command()
@click.option(
    "--check",
    is_flag=True,
    help="Change nothing; exit 1 where migrations are pending, or one takes something away and does not say why.",
)
@json_option
def migrate(check: bool) -> None:
    """Run the migrations that are pending; safe beside other starters and to run twice."""
    settings = load_settings()
    if check:
        refuse_unmarked()
        waiting = waiting_migrations(settings)
        if waiting:
            raise not_migrated(waiting)
        emit({"pending": []}, "The database is up to date.")
        return
    ran = run_migrations(settings)
    loaded = load_built_in_definitions(settings)
    told = [*(f"ran {one}" for one in ran), *(f"loaded {one}" for one in loaded)]
    emit({"ran": ran, "loaded": loaded}, "\n".join(told) or "The database is up to date.")


def refuse_unmarked(folder: Path | None = None) -> None:
    """Raises CommandFailed naming file and statement of a destructive migration that is not marked as one."""
    from app.database.destructive import told, unmarked
    from app.database.waiting import FOLDER

    found = unmarked(folder or FOLDER)
    if found:
        files = {one.file: [finding._asdict() for finding in one.findings] for one in found}
        text = f"Migrations take something away unmarked:\n{told(found)}"
        raise CommandFailed("migration_destructive", text, files=files)


def waiting_migrations(settings: Settings) -> list[str]:
    """The migrations that have not run here."""
    from app.database.waiting import waiting

    return _on_database(settings, waiting)


def run_migrations(settings: Settings) -> list[str]:
    """Run what is pending; the ids of what ran."""
    from app.database.migrating import MigrationFailed, migrate

    try:
        return _on_database(settings, migrate)
    except MigrationFailed as error:
        raise CommandFailed("migration_failed", f"{str(error)[:1].upper()}{str(error)[1:]}") from error


def load_built_in_definitions(settings: Settings) -> list[str]:
    """Write the built-in definitions that this database lacks; their names and versions."""
    from app.database import Database, bind
    from models.integrations import IntegrationDefinition
    from services.integrations.connectors.loading import load_built_ins

    async def load(database: Database) -> list[str]:
        await database.start()
        bind(database, [IntegrationDefinition])
        return await load_built_ins(database)

    return _on_database(settings, load)


def _on_database(settings: Settings, task: object) -> list[str]:
    from app.database import open_database

    quiet_logs()
    try:
        if settings.database.startswith("sqlite:"):
            settings.home.mkdir(parents=True, exist_ok=True)
        database = open_database(settings.database, settings.database_pool_size)
    except ValueError as error:
        raise SettingsError(f"DOVETAIL_DATABASE_URL: {error}") from error
    except OSError as error:
        raise SettingsError(f"The home folder {settings.home} cannot be used: {error.strerror}.") from error

    async def run() -> list[str]:
        try:
            return await task(database)  # type: ignore[operator,no-any-return]
        finally:
            await database.stop()

    return asyncio.run(run())
