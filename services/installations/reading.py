"""Lists of installations and of what belongs to them."""

from typing import Any
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.errors import ValidationFailed
from models.installations import Credential, Installation, Origin
from services.context import Context
from services.operations import operation
from services.paging import KeysetPage, KeysetRequest, Listing, Sort, keyset_page

INSTALLATIONS = Listing(
    source="installation",
    columns="id, platform, status, display_name, description, rate_limit_per_minute, rate_limit_burst, created_at, "
    "updated_at, version",
    sorts={
        "created_at": Sort("created_at", int),
        "updated_at": Sort("updated_at", int),
        "display_name": Sort("lower(display_name)"),
    },
    default_sort="created_at",
    filters={
        "status": "status = {status}",
        "platform": "platform = {platform}",
        "archived": "(status = 'archived') = {archived}",
    },
)


@operation(scope=Scope.INSTALLATIONS_READ, raises=[ValidationFailed])
async def list_installations(context: Context, request: KeysetRequest) -> KeysetPage:
    """List the tenant's installations; archived ones only where a filter asks for them."""
    filters = request.filters
    if filters.get("status") is None and filters.get("archived") is None:
        request = msgspec.structs.replace(request, filters={**filters, "archived": False})
    return await keyset_page(context.database, context.tenant, INSTALLATIONS, request)


@operation(scope=Scope.INSTALLATIONS_READ)
async def get_installations(context: Context, installations: list[UUID]) -> list[dict[str, Any]]:
    """The installations of these ids that the tenant has, in no order."""
    if not installations:
        return []
    rows = Installation.of(context.tenant).select(*Installation.all_columns())
    return await rows.where(Installation.id.is_in(installations))


@operation(scope=Scope.INSTALLATIONS_READ)
async def list_origins(context: Context, installations: list[UUID]) -> list[dict[str, Any]]:
    """List the origins of these installations, the oldest first."""
    if not installations:
        return []
    rows = Origin.of(context.tenant).select(*Origin.all_columns()).where(Origin.installation.is_in(installations))
    return await rows.order_by(Origin.created_at, Origin.id)


@operation(scope=Scope.INSTALLATIONS_READ)
async def get_origins(context: Context, origins: list[UUID]) -> list[dict[str, Any]]:
    """The origins of these ids that the tenant has, in no order."""
    if not origins:
        return []
    return await Origin.of(context.tenant).select(*Origin.all_columns()).where(Origin.id.is_in(origins))


#: Said by name: `==` on columns makes a condition, which is always true.
_HIDDEN = frozenset({"digest", "pepper_id"})


def _without_digest() -> list[Any]:
    return [column for column in Credential.all_columns() if column._meta.name not in _HIDDEN]


@operation(scope=Scope.INSTALLATIONS_READ)
async def list_credentials(context: Context, installations: list[UUID]) -> list[dict[str, Any]]:
    """List the credentials of these installations, the oldest first; never with a digest or a secret."""
    if not installations:
        return []
    rows = Credential.of(context.tenant).select(*_without_digest()).where(Credential.installation.is_in(installations))
    return await rows.order_by(Credential.created_at, Credential.id)


@operation(scope=Scope.INSTALLATIONS_READ)
async def get_credentials(context: Context, credentials: list[UUID]) -> list[dict[str, Any]]:
    """The credentials of these ids that the tenant has, in no order; never with a digest or a secret."""
    if not credentials:
        return []
    return await Credential.of(context.tenant).select(*_without_digest()).where(Credential.id.is_in(credentials))
