"""The rows of the built-in definitions: written once for each name and version, and their content never changed again.

A version that has a newer one is deprecated: its instances work on, and new ones are made of the newer.
"""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog

from app.clock import Clock, SystemClock
from app.database import Database
from models.integrations import IntegrationDefinition
from models.tenancy import insert_shared
from services.integrations.connectors.files import built_in_definitions, digest
from services.integrations.definitions.columns import definition_of, stored
from services.integrations.definitions.model import Definition

LOG = structlog.get_logger("integrations")


def built_in_id(name: str, version: str) -> UUID:
    """The same on every server, so that a saved request works on all of them."""
    return uuid5(NAMESPACE_URL, f"dovetail:connector:{name}@{version}")


async def load_built_ins(database: Database, clock: Clock | None = None) -> list[str]:
    """Write what is missing, published; the names and versions that were written. Safe beside another that does so."""
    now = (clock or SystemClock()).now_ms()
    definitions, loaded = list(built_in_definitions()), []
    async with database.transaction():
        await database.lock("built-in definitions")
        for definition in definitions:
            if await _add(definition, now):
                loaded.append(f"{definition.name} {definition.version}")
    return loaded


async def _add(definition: Definition, now: int) -> bool:
    table: Any = IntegrationDefinition
    rows = table.across_tenants("a built-in definition belongs to no tenant")
    wanted = built_in_id(definition.name, definition.version)
    known = await rows.one(*table.all_columns(), where=table.id == wanted)
    if known is not None:
        if digest(definition_of(known)) != digest(definition):
            LOG.warning("built_in_changed", name=definition.name, version=definition.version)
        return False
    life = {"status": "PUBLISHED", "created_at": now, "updated_at": now, "published_at": now, "version": 1}
    await insert_shared(table, stored(definition) | life | {"id": wanted})
    await _deprecate_older(definition, now)
    return True


async def _deprecate_older(definition: Definition, now: int) -> None:
    table: Any = IntegrationDefinition
    rows = table.across_tenants("a built-in definition belongs to no tenant")
    its = table.tenant.is_null() & (table.name == definition.name) & (table.status == "PUBLISHED")
    for row in await rows.select(table.id, table.semver, table.version).where(its):
        if _order(row["semver"]) < _order(definition.version):
            changes = {"status": "DEPRECATED", "updated_at": now, "version": row["version"] + 1}
            await rows.update(changes).where(its & (table.id == row["id"]))


def _order(version: str) -> tuple[int, ...]:
    """Built-in versions are three numbers."""
    return tuple(int(part) for part in version.split("."))
