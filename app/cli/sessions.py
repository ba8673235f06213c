"""A command's way to the services: the runtime opened, the tenant found, a context for the operations."""

import asyncio
import functools
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from app.cli.failures import CommandFailed
from app.cli.logs import quiet_logs
from app.cli.options import json_option, tenant_option
from app.errors import DomainError, Unavailable
from app.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from services.context import Context
    from services.runtime import Runtime


def os_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def make_runtime(settings: Settings) -> "Runtime":
    """A runtime that has not started; what the settings name wrongly is a SettingsError."""
    from services.runtime import Runtime

    quiet_logs()
    try:
        return Runtime(settings)
    except (ValueError, KeyError) as error:
        raise SettingsError(f"settings: {error}") from error
    except OSError as error:
        raise SettingsError(f"The home folder {settings.home} cannot be used: {error.strerror}.") from error


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator["Runtime"]:
    """The runtime, started; a schema that is not up to date is told as such."""
    runtime, sound = make_runtime(settings), False
    try:
        await runtime.start()
        yield runtime
        sound = True
    except Unavailable:
        raise
    except (DomainError, CommandFailed, click.ClickException, click.exceptions.Exit):
        sound = True
        raise
    except Exception as error:
        await _refuse_if_pending(runtime, error)
        raise
    finally:
        # A database that is not as it should be can take nothing.
        await (runtime.stop() if sound else runtime.close())


async def _refuse_if_pending(runtime: "Runtime", error: Exception) -> None:
    from app.database.waiting import waiting

    missing = await waiting(runtime.database)
    if missing:
        raise not_migrated(missing) from error


def not_migrated(waiting: list[str], exit_code: int = 1) -> CommandFailed:
    text = f"The database waits for {len(waiting)} migration(s). Run `dovetail migrate` first."
    return CommandFailed("migrations_pending", text, exit_code=exit_code, pending=waiting)


def context_for(runtime: "Runtime", tenant: UUID) -> "Context":
    """The context of whoever runs the command on this machine."""
    from app.auth.principal import shell_principal
    from app.ids import new_request_id
    from services.context import Context

    return Context(runtime, shell_principal(tenant, os_user()), "cli", new_request_id())


async def choose_tenant(runtime: "Runtime", named: str | None) -> dict[str, Any]:
    """The tenant of that slug or id, or the only one there is."""
    from services.tenants import all_tenants, find_tenant

    if named is not None:
        return await find_tenant(runtime.database, named)
    tenants = await all_tenants()
    if not tenants:
        text = "There is no tenant yet. Run `dovetail demo`, or `dovetail tenants create SLUG --name NAME`."
        raise CommandFailed("tenant_needed", text)
    if len(tenants) > 1:
        slugs = [tenant["slug"] for tenant in tenants]
        text = f"There are {len(slugs)} tenants ({', '.join(slugs[:10])}); name one with --tenant."
        raise CommandFailed("tenant_needed", text, tenants=slugs)
    return tenants[0]


def in_tenant(command: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Give an async command the Context of its tenant as its first argument; adds `--tenant` and `--json`."""

    async def within(tenant: str | None, given: dict[str, Any]) -> None:
        async with opened(load_settings()) as runtime:
            chosen = await choose_tenant(runtime, tenant)
            await command(context_for(runtime, chosen["id"]), **given)

    @json_option
    @tenant_option
    @functools.wraps(command)
    def run(tenant: str | None, **given: Any) -> None:
        asyncio.run(within(tenant, given))

    return run


def with_runtime(command: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Give an async command the started Runtime as its first argument; adds `--json`."""

    async def within(given: dict[str, Any]) -> None:
        async with opened(load_settings()) as runtime:
            await command(runtime, **given)

    @json_option
    @functools.wraps(command)
    def run(**given: Any) -> None:
        asyncio.run(within(given))

    return run
