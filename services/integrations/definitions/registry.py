"""Definitions: listed, read, written and changed while they are drafts."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from app.auth.scopes import Scope
from app.database import Row
from app.errors import Conflict, InvalidTransition, NotFound, ValidationFailed, VersionConflict
from models.integrations import IntegrationDefinition
from services.context import Context
from services.integrations.definitions.checking import check_definition
from services.integrations.definitions.lifecycle import own_definition
from services.integrations.definitions.model import Definition
from services.integrations.definitions.rows import COLUMNS, SUMMARY, find_definition, shown, stored
from services.operations import operation
from services.paging import (
    Condition,
    KeysetPage,
    KeysetRequest,
    Listing,
    OffsetPage,
    OffsetRequest,
    Sort,
    among,
    conditions,
    count_rows,
    joined,
    offset_page,
    statement,
)
from services.people.reading import SEARCH, folded, searched_page

DEFINITIONS = Listing(
    source="integration_definition",
    columns=SUMMARY,
    sorts={
        "name": Sort("lower(name)"),
        "category": Sort("category"),
        "created_at": Sort("created_at", int),
        "updated_at": Sort("updated_at", int),
        "published_at": Sort("coalesce(published_at, 0)", int),
    },
    default_sort="name",
    filters={
        "q": SEARCH,
        "status": "status = {status}",
        "type": "type = {type}",
        "category": "category = {category}",
        "name": "name = {name}",
    },
    shared=True,
)
#: The same with everything that a form needs.
WHOLE_DEFINITIONS = DEFINITIONS._replace(columns=COLUMNS)


@operation(scope=Scope.INTEGRATIONS_READ, raises=[ValidationFailed])
async def list_integration_definitions(
    context: Context, request: OffsetRequest | KeysetRequest, whole: bool = False
) -> OffsetPage | KeysetPage:
    """List the definitions that the tenant sees: its own and the built-in ones; summaries unless `whole`."""
    listing = WHOLE_DEFINITIONS if whole else DEFINITIONS
    if isinstance(request, KeysetRequest):
        return await searched_page(context, listing, request)
    return await offset_list(context, listing, request)


async def offset_list(context: Context, listing: Listing, request: OffsetRequest) -> OffsetPage:
    """A page by offset, and the number of all; `sort` may name several, with a comma between and `-` before."""
    where = conditions(listing, context.tenant, folded({**request.filters, "q": request.q}))
    order = ", ".join([*_order(listing, request.sort or listing.default_sort), "id"])
    rows = await offset_page(context.database, listing, where, order, request.page, request.per_page)
    return OffsetPage(rows, await count_rows(context.database, listing, where))


def _order(listing: Listing, names: str) -> Iterator[str]:
    """`-created_at,name` as SQL. Raises ValidationFailed."""
    for part in names.split(","):
        name, way = part.lstrip("-"), "DESC" if part.startswith("-") else "ASC"
        if name not in listing.sorts:
            raise ValidationFailed({"sort": f"must be one of {', '.join(listing.sorts)}"})
        yield f"{listing.sorts[name].sql} {way}"


@operation(scope=Scope.INTEGRATIONS_READ)
async def get_integration_definitions(context: Context, definitions: list[UUID]) -> list[Row]:
    """The definitions of these ids that the tenant sees, whole, in no order."""
    if not definitions:
        return []
    seen = Condition("tenant = {tenant} OR tenant IS NULL", {"tenant": context.tenant})
    sql, params = joined([seen, among(context.database, "id", definitions)])
    text = f"SELECT {COLUMNS} FROM integration_definition WHERE {sql}"  # noqa: S608 - own words
    return await context.database.fetch(statement(text), **params)


@operation(scope=Scope.INTEGRATIONS_READ, raises=[NotFound])
async def get_integration_definition(context: Context, definition_id: UUID) -> dict[str, Any]:
    """One definition that the tenant sees, whole."""
    return await find_definition(context.tenant, definition_id)


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_definition.created",
    writes=True,
    raises=[ValidationFailed, Conflict],
)
async def create_integration_definition(context: Context, definition: Definition) -> dict[str, Any]:
    """Create a definition as a draft; every fault of it is told with its path."""
    check_definition(definition)
    return await add_draft(context, definition)


async def add_draft(context: Context, definition: Definition) -> dict[str, Any]:
    """A new draft of a definition that was checked, within a transaction. Raises Conflict."""
    await _check_free(context, definition)
    row = stored(definition) | {
        "status": "DRAFT", "created_at": context.now, "updated_at": context.now, "version": 1,
    }  # fmt: skip
    made = await IntegrationDefinition.of(context.tenant).insert(row)
    after = await find_definition(context.tenant, made[0]["id"])
    context.note("integration_definition", after["id"], after=shown(after))
    return after


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_definition.updated",
    writes=True,
    raises=[ValidationFailed, NotFound, Conflict, InvalidTransition, VersionConflict],
)
async def update_integration_definition(
    context: Context, definition_id: UUID, definition: Definition, version: int | None = None
) -> dict[str, Any]:
    """Replace a draft; `version` (the row's, not the definition's) guards against a lost update."""
    before = await own_definition(context, definition_id)
    if version is not None and version != before["version"]:
        raise VersionConflict(version=before["version"])
    if before["status"] != "DRAFT":
        text = f"A definition that is {before['status']} never changes again; make a new version of it."
        raise InvalidTransition(text, status=before["status"], allowed_from=["DRAFT"])
    check_definition(definition)
    await _replace(context, before, definition)
    after = await find_definition(context.tenant, definition_id)
    context.note("integration_definition", definition_id, before=shown(before), after=shown(after))
    return after


async def _replace(context: Context, before: dict[str, Any], definition: Definition) -> None:
    table: Any = IntegrationDefinition
    if (definition.name, definition.version) != (before["name"], before["semver"]):
        await _check_free(context, definition)
    changed = await (
        table.of(context.tenant)
        .update(stored(definition) | {"updated_at": context.now, "version": before["version"] + 1})
        .where((table.id == before["id"]) & (table.status == "DRAFT") & (table.version == before["version"]))
        .returning(table.id)
    )
    if not changed:
        raise VersionConflict(version=before["version"])


async def _check_free(context: Context, definition: Definition) -> None:
    """A name and version are one definition's; the name of a built-in one is nobody else's. Raises Conflict."""
    table: Any = IntegrationDefinition
    # Two that write the same name at once: the second waits here, and then sees the first.
    await context.database.lock(f"definition:{context.tenant}:{definition.name}")
    same = (table.name == definition.name) & ((table.semver == definition.version) | table.tenant.is_null())
    if await table.seen_by(context.tenant).exists(same):
        text = f"The definition {definition.name} {definition.version} exists, or the name is that of a built-in one."
        raise Conflict(text, name=definition.name, version=definition.version)
