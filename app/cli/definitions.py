"""`dovetail definitions`: what can be connected."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

import rich_click as click

from app.cli.definitions_reviewing import definition_in, diff, lint, test
from app.cli.options import limit_option
from app.cli.output import emit_one, emit_rows, print_json, shown, wants_json
from app.cli.sessions import in_tenant

if TYPE_CHECKING:
    from services.context import Context

LISTED = ("name", "semver", "category", "auth_type", "status", "id")
COLUMNS = (*LISTED, "type", "description", "built_in", "created_at", "updated_at", "published_at", "version")


@click.group()
def definitions() -> None:
    """List, create and publish definitions of integrations."""


@definitions.command("list")
@limit_option(100)
@in_tenant
async def list_(context: "Context", limit: int) -> None:
    """List the definitions that the tenant sees: its own and the built-in ones."""
    from app.cli.pages import rows_of
    from services.integrations.definitions.registry import list_integration_definitions

    rows, more = await rows_of(list_integration_definitions, context, limit, filters={})
    emit_rows("definitions", [shown(row, LISTED) for row in rows], LISTED, more=more)


@definitions.command()
@click.argument("definition", type=click.UUID)
@in_tenant
async def show(context: "Context", definition: UUID) -> None:
    """Show one definition."""
    from services.integrations.definitions.registry import get_integration_definition

    emit_one(shown(await get_integration_definition(context, definition), COLUMNS), "definition")


@definitions.command()
@click.argument("file", type=click.File("rb"))
@click.option("--publish", "at_once", is_flag=True, help="Publish it at once.")
@in_tenant
async def create(context: "Context", file: BinaryIO, at_once: bool) -> None:
    """Create a definition from a FILE of JSON or YAML, as a draft; every fault is told with its path."""
    from services.integrations.definitions.lifecycle import publish_integration_definition
    from services.integrations.definitions.registry import create_integration_definition

    made = await create_integration_definition(context, definition_in(file.read(), Path(file.name).name))
    if at_once:
        made = await publish_integration_definition(context, made["id"])
    emit_one(shown(made, COLUMNS), "definition")


@definitions.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tag", "tags", multiple=True, help="Operations with this tag; may be repeated.")
@click.option("--operation", "operations", multiple=True, help="An operationId, or 'GET /path'; may be repeated.")
@click.option("--name", help="Name of the definition; default the document's title.")
@click.option("--version", help="Version of the definition; default the document's.")
@click.option("--security", help="The security scheme to use; default the one that most operations take.")
@click.option("--report", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the report.")
@in_tenant
async def import_(context: "Context", file: Path, form: str, **choice: Any) -> None:
    """Import an OpenAPI 3 FILE (JSON or YAML) as a draft, and report what could not be typed."""
    import msgspec

    from app.errors import ValidationFailed
    from services.contracts.reading import UnreadableDocument, read_path
    from services.integrations.importing.converting import Choice, lines_of
    from services.integrations.importing.registry import ReadDocument, import_integration_definition

    try:
        document = read_path(file)
    except UnreadableDocument as error:
        raise ValidationFailed({"FILE": str(error)}) from None
    request = ReadDocument(document=document, choice=msgspec.convert(choice, Choice))
    found = await import_integration_definition(context, request)
    report = msgspec.to_builtins(found.report)
    if form == "json" or wants_json():
        print_json({"definition": shown(found.definition, COLUMNS), "report": report})
        return
    emit_one(shown(found.definition, COLUMNS), "definition")
    click.echo("\n".join(lines_of(found.report)))


@definitions.command()
@click.argument("definition", type=click.UUID)
@in_tenant
async def publish(context: "Context", definition: UUID) -> None:
    """Publish a draft; its content never changes again."""
    from services.integrations.definitions.lifecycle import publish_integration_definition

    emit_one(shown(await publish_integration_definition(context, definition), COLUMNS), "definition")


@definitions.command()
@click.argument("definition", type=click.UUID)
@in_tenant
async def deprecate(context: "Context", definition: UUID) -> None:
    """Deprecate a definition: its instances work on, and no new ones are made."""
    from services.integrations.definitions.lifecycle import deprecate_integration_definition

    emit_one(shown(await deprecate_integration_definition(context, definition), COLUMNS), "definition")


@definitions.command()
@click.argument("definition", type=click.UUID)
@in_tenant
async def archive(context: "Context", definition: UUID) -> None:
    """Archive a definition: its methods can no longer be called."""
    from services.integrations.definitions.lifecycle import archive_integration_definition

    emit_one(shown(await archive_integration_definition(context, definition), COLUMNS), "definition")


for _command in (lint, test, diff):
    definitions.add_command(_command)
