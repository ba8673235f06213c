"""Definitions: listed, read, written and changed while they are drafts."""

from typing import Any, get_args
from uuid import UUID

from app.auth.scopes import Scope
from app.database import Row, Statement
from app.errors import Conflict, InvalidTransition, NotFound, ValidationFailed, VersionConflict
from models.integrations import IntegrationDefinition
from services.context import Context
from services.filters.fields import BOOLEAN, ID, INSTANT, TEXT, Field, one_of
from services.integrations.definitions.checking import check_definition
from services.integrations.definitions.columns import stored
from services.integrations.definitions.lifecycle import STATUSES, own_definition
from services.integrations.definitions.model import AuthType, Category, Definition, DefinitionType
from services.integrations.definitions.rows import COLUMNS, SUMMARY, find_definition, shown
from services.integrations.naming import canonical
from services.offset_lists import list_page
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
    joined,
    statement,
)
from services.people.names import fold_query
from services.people.reading import SEARCH
from services.versions import check_version

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
    fields={
        "id": Field("id", ID),
        "name": Field("name", TEXT),
        "description": Field("description", TEXT),
        "version": Field("semver", TEXT),
        "type": Field("type", one_of(*get_args(DefinitionType))),
        "category": Field("category", one_of(*get_args(Category))),
        "auth_type": Field("auth_type", one_of(*get_args(AuthType))),
        "status": Field("status", one_of(*STATUSES)),
        "built_in": Field("(tenant IS NULL)", BOOLEAN),
        "created_at": Field("created_at", INSTANT),
        "updated_at": Field("updated_at", INSTANT),
        "published_at": Field("published_at", INSTANT, nullable=True),
    },
)
#: What may have this name: what is equal folds to the same text, and not the other way round.
_NAMED = Statement(
    "SELECT id, tenant, name, semver FROM integration_definition WHERE (tenant = {tenant} OR tenant IS NULL) "
    "AND (name = {name} OR substr(search_text, 1, {length}) = {folded})"
)
#: The same with everything that a form needs.
WHOLE_DEFINITIONS = DEFINITIONS._replace(columns=COLUMNS)


@operation(scope=Scope.INTEGRATIONS_READ, raises=[ValidationFailed])
async def list_integration_definitions(
    context: Context, request: OffsetRequest | KeysetRequest, whole: bool = False
) -> OffsetPage | KeysetPage:
    """List the definitions that the tenant sees: its own and the built-in ones; summaries unless `whole`."""
    return await list_page(context, WHOLE_DEFINITIONS if whole else DEFINITIONS, request)


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
    return await add_draft(context, stored(definition))


async def add_draft(context: Context, columns: dict[str, Any]) -> dict[str, Any]:
    """A new draft, from the columns of a definition that was checked, within a transaction. Raises Conflict."""
    await _check_free(context, columns["name"], columns["semver"])
    row = columns | {"status": "DRAFT", "created_at": context.now, "updated_at": context.now, "version": 1}
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
    check_version(before, version)
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
        await _check_free(context, definition.name, definition.version, but=before["id"])
    changed = await (
        table.of(context.tenant)
        .update(stored(definition) | {"updated_at": context.now, "version": before["version"] + 1})
        .where((table.id == before["id"]) & (table.status == "DRAFT") & (table.version == before["version"]))
        .returning(table.id)
    )
    if not changed:
        raise VersionConflict(version=before["version"])


async def _check_free(context: Context, name: str, version: str, but: UUID | None = None) -> None:
    """A name and version are one definition's; the name of a built-in one is nobody else's.

    A name in another Unicode form would be another type that looks the same. Raises Conflict.
    """
    # Two that write the same name at once: the second waits here, and then sees the first.
    await context.database.lock(f"definition:{context.tenant}:{canonical(name)}")
    folded = fold_query(name)
    alike = {"name": name, "folded": folded, "length": len(folded)}
    for row in await context.database.fetch(_NAMED, tenant=context.tenant, **alike):
        if row["id"] == but or canonical(row["name"]) != canonical(name):
            continue
        if row["name"] != name:
            text = f"There is a definition of the name {row['name']} already, in another Unicode form."
            raise Conflict(text, name=row["name"])
        if row["semver"] == version or row["tenant"] is None:
            text = f"The definition {name} {version} exists, or the name is that of a built-in one."
            raise Conflict(text, name=name, version=version)
