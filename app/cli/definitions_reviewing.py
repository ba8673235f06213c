"""`dovetail definitions lint|test|diff`: what can be told of a definition without calling anybody."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import json_option, tenant_option
from app.cli.output import print_json, wants_json

if TYPE_CHECKING:
    from services.integrations.definitions.model import Definition


@click.command()
@click.argument("source", metavar="FILE|ID")
@click.option("--strict", is_flag=True, help="Exit 1 for warnings too.")
@json_option
@tenant_option
@click.pass_context
def lint(context: click.Context, source: str, tenant: str | None, strict: bool) -> None:
    """Say what is wrong with a definition, and what is missing; exit 1 where something is wrong."""
    import msgspec

    from services.integrations.reviewing.linting import lint_definition

    found = lint_definition(read_definition(source, tenant))
    errors = sum(each.severity == "error" for each in found)
    lines = [f"{each.severity}: {each.path}: {each.message} [{each.rule}]" for each in found]
    _show(msgspec.to_builtins(found), [*lines, f"{errors} errors, {len(found) - errors} warnings"], "lint")
    context.exit(1 if errors or (strict and found) else 0)


@click.command()
@click.argument("source", metavar="FILE|ID")
@json_option
@tenant_option
@click.pass_context
def test(context: click.Context, source: str, tenant: str | None) -> None:
    """Play every example of a definition offline; exit 1 where one does not hold."""
    import msgspec

    from services.integrations.definitions.checking import check_definition
    from services.integrations.reviewing.rehearsing import rehearse

    definition = read_definition(source, tenant)
    check_definition(definition)
    found = rehearse(definition)
    failed = sum(each.fault is not None for each in found)
    lines = [
        f"{'FAIL' if each.fault else 'ok'}  {each.method} #{each.example}  {each.request or ''}  "
        f"{each.fault or each.code or ''}".rstrip()
        for each in found
    ]
    _show(msgspec.to_builtins(found), [*lines, f"{len(found) - failed} hold, {failed} fail"], "examples")
    context.exit(1 if failed else 0)


@click.command()
@click.argument("base", metavar="FILE|ID")
@click.argument("revision", metavar="FILE|ID")
@json_option
@tenant_option
@click.pass_context
def diff(context: click.Context, base: str, revision: str, tenant: str | None) -> None:
    """Say what REVISION takes from those who use BASE; exit 1 where its version does not say so."""
    import msgspec

    from services.integrations.reviewing.differences import compare_definitions

    before, after = read_definition(base, tenant), read_definition(revision, tenant)
    found = compare_definitions(before, after, datetime.now(UTC).date())
    lines = [
        f"{each.verdict}: {' '.join(part for part in (each.method, each.where) if part)}: {each.message} [{each.rule}]"
        for each in found.differences
    ]
    told = f"{before.version} → {after.version} is a step of {found.made}; these differences need {found.needed}."
    document = msgspec.to_builtins(found) | {"honest": found.honest}
    _show(document, [*lines, told], "diff")
    context.exit(0 if found.honest else 1)


def read_definition(source: str, tenant: str | None) -> "Definition":
    """A definition from a file of JSON or YAML, or the one of this id in the database. Raises CommandFailed."""
    path = Path(source)
    if path.is_file():
        try:
            return definition_in(path.read_bytes(), path.name)
        except OSError as error:
            raise CommandFailed("unreadable", f"{error}.", exit_code=2) from error
    try:
        wanted = UUID(source)
    except ValueError:
        raise CommandFailed("unreadable", f"{source} is neither a file nor an id.", exit_code=2) from None
    return asyncio.run(_stored(wanted, tenant))


def definition_in(document: bytes, name: str) -> "Definition":
    """The definition that a file of this name holds, as JSON or YAML. Raises CommandFailed, ValidationFailed."""
    from services.contracts.reading import UnreadableDocument, parse
    from services.inputs import read_input
    from services.integrations.definitions.model import Definition

    try:
        value = parse(document, name)
    except UnreadableDocument as error:
        raise CommandFailed("unreadable", f"{error}.", exit_code=2) from error
    return read_input(Definition, value)


async def _stored(wanted: UUID, tenant: str | None) -> "Definition":
    from app.cli.sessions import choose_tenant, context_for, opened
    from app.settings import load_settings
    from services.integrations.definitions.columns import definition_of
    from services.integrations.definitions.registry import get_integration_definition

    async with opened(load_settings()) as runtime:
        chosen = await choose_tenant(runtime, tenant)
        return definition_of(await get_integration_definition(context_for(runtime, chosen["id"]), wanted))


def _show(document: object, lines: Iterable[str], name: str) -> None:
    if wants_json():
        print_json({name: document})
    else:
        click.echo("\n".join(lines))
