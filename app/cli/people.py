"""`dovetail people`: who is listed, taken in from ORCID."""

from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import limit_option
from app.cli.output import emit_one, emit_rows, shown
from app.cli.sessions import in_tenant

if TYPE_CHECKING:
    from services.context import Context

COLUMNS = (
    "id", "orcid_id", "name", "biography", "sync_status", "sync_error", "publication_count", "visible", "listed",
    "last_fetched_at", "created_at", "updated_at",
)  # fmt: skip
LISTED = ("orcid_id", "name", "sync_status", "publication_count", "listed", "id")


@click.group()
def people() -> None:
    """Import people from ORCID, list them, and sync them again."""


def _shown(row: Any) -> dict[str, Any]:
    import msgspec

    texts = {name: msgspec.json.decode(row[name]) if row[name] else None for name in ("name", "biography")}
    return shown(row, COLUMNS) | texts


def _tabular(person: dict[str, Any]) -> dict[str, Any]:
    """With localised text as the one text to show."""
    from services.people.names import display_name

    return person | {name: display_name(person[name]) for name in ("name", "biography")}


@people.command("list")
@click.option("--q", help="Part of a name or of an ORCID iD.")
@click.option("--status", "sync_status", type=click.Choice(["pending", "processing", "complete", "failed"]))
@limit_option(100)
@in_tenant
async def list_(context: "Context", limit: int, **filters: Any) -> None:
    """List the tenant's people by name, the hidden ones too."""
    from app.cli.output import wants_json
    from app.cli.pages import rows_of
    from services.people.reading import list_people

    rows, more = await rows_of(list_people, context, limit, filters=filters)
    found = [_shown(row) for row in rows]
    emit_rows("people", found if wants_json() else [_tabular(each) for each in found], LISTED, more=more)


async def _find(context: "Context", reference: str) -> Any:
    """The person of that id or ORCID iD."""
    from services.paging import KeysetRequest
    from services.people.orcid import parse_orcid
    from services.people.reading import get_people, list_people

    try:
        rows = await get_people(context, [UUID(reference)])
    except ValueError:
        filters = {"orcid_id": parse_orcid(reference)}
        rows = (await list_people(context, KeysetRequest(first=1, filters=filters))).rows
    if not rows:
        text = f"There is no person {reference} here. `dovetail people list --q NAME` finds them."
        raise CommandFailed("not_found", text)
    return rows[0]


@people.command()
@click.argument("person", metavar="ID|ORCID")
@in_tenant
async def show(context: "Context", person: str) -> None:
    """Show one person."""
    from app.cli.output import wants_json

    found = _shown(await _find(context, person))
    emit_one(found if wants_json() else _tabular(found), "person")


@people.command()
@click.argument("person", metavar="ID|ORCID")
@in_tenant
async def sync(context: "Context", person: str) -> None:
    """Queue a sync of one person; the server runs it."""
    from services.people.importing import sync_person

    found = await _find(context, person)
    after = await sync_person(context, UUID(str(found["id"])))
    emit_one({name: after[name] for name in ("id", "orcid_id", "sync_status")}, "person")


@people.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--resume", is_flag=True, help="Go on after the last line that an earlier run of this file finished.")
@click.option("--wait", is_flag=True, help="Run the syncs in this process and wait for them.")
@in_tenant
async def import_(context: "Context", file: BinaryIO, resume: bool, wait: bool) -> None:
    """Import people from FILE (- for standard input).

    A line is an ORCID iD, whose record is then fetched, or a whole ORCID record as JSON, which is taken as it
    is; blank lines and lines that begin with # are passed over. A bad line is reported and the rest goes on;
    the exit code is then 1.
    """
    from app.cli.people_import import import_file

    await import_file(context, file, resume=resume, wait=wait)
