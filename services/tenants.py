"""Tenants: whose rows everything is. They are made on the server's own machine."""

import re
from typing import Any
from uuid import UUID

from app.auth.scopes import Scope
from app.database import Database, Statement
from app.errors import Conflict, NotFound, ValidationFailed
from models.tenancy import Tenant
from services import fields
from services.context import Context
from services.operations import operation

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ADD = Statement(
    "INSERT INTO tenant (id, slug, name, created_at) VALUES ({id}, {slug}, {name}, {at}) ON CONFLICT (slug) DO NOTHING"
)
_BY_SLUG = Statement("SELECT id, slug, name, created_at FROM tenant WHERE slug = {slug}")
_BY_ID = Statement("SELECT id, slug, name, created_at FROM tenant WHERE id = {id}")


@operation(scope=Scope.TENANTS_ADMIN, audit="tenant.created", writes=True, raises=[ValidationFailed, Conflict])
async def create_tenant(context: Context, slug: str, name: str) -> dict[str, Any]:
    """Create the tenant in whose name the context acts (its principal carries the new tenant's id)."""
    if not _SLUG.fullmatch(slug):
        raise ValidationFailed({"slug": "must be 1 to 63 of a-z, 0-9 and -, and begin and end with a letter or digit"})
    if _as_id(slug) is not None:
        raise ValidationFailed({"slug": "must not be a UUID: a tenant is named by either"})
    title = fields.required_text("name", name, most=200)
    added = await context.database.execute(_ADD, id=context.tenant, slug=slug, name=title, at=context.now)
    if not added:
        raise Conflict(f"There is a tenant {slug} already.", slug=slug)
    context.note("tenant", context.tenant, after={"slug": slug, "name": title})
    return await find_tenant(context.database, slug)


@operation(scope=None)
async def get_tenant(context: Context) -> dict[str, Any]:
    """The caller's own tenant."""
    return await find_tenant(context.database, str(context.tenant))


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def find_tenant(database: Database, text: str) -> dict[str, Any]:
    """A tenant by its slug or its id."""
    tenant_id = _as_id(text)
    if tenant_id is None:
        rows = await database.fetch(_BY_SLUG, slug=text)
    else:
        rows = await database.fetch(_BY_ID, id=tenant_id)
    if not rows:
        raise NotFound(f"There is no tenant {text}.")
    return dict(rows[0]) | {"id": UUID(str(rows[0]["id"]))}


async def all_tenants() -> list[dict[str, Any]]:
    return await Tenant.select().order_by(Tenant.slug).run()
