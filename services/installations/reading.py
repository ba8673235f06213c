"""Lists of installations and of what belongs to them."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.auth.scopes import Scope
from app.database import Row
from app.errors import ValidationFailed
from services.context import Context
from services.operations import operation
from services.paging import KeysetPage, KeysetRequest, Listing, Sort, chosen, keyset_page, rows_among

_ORIGIN_COLUMNS = (
    "id, installation, origin, verification_status, method, callback_path, token, token_expires_at, verified_at, "
    "last_checked_at, last_reason, health, misses, grace_until, next_check_at, created_at"
)
# Never the digest or the pepper: a digest is enough to test guesses against.
_CREDENTIAL_COLUMNS = (
    "id, installation, label, kid, mode, hash_alg, scopes, status, created_at, last_used_at, expires_at, rotated_at, "
    "replaced_by, revoked_at"
)
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
async def get_installations(
    context: Context, installations: list[UUID], columns: Sequence[str] | None = None
) -> list[Row]:
    """The installations of these ids that the tenant has.

    `columns` names those that are wanted; all, where it is absent.
    """
    return await _among(context, "installation", chosen(INSTALLATIONS.columns, columns), "id", installations)


@operation(scope=Scope.INSTALLATIONS_READ)
async def list_origins(context: Context, installations: list[UUID], columns: Sequence[str] | None = None) -> list[Row]:
    """List the origins of these installations, the oldest first.

    `columns` names those that are wanted; all, where it is absent.
    """
    return await _among(context, "origin", chosen(_ORIGIN_COLUMNS, columns), "installation", installations)


@operation(scope=Scope.INSTALLATIONS_READ)
async def get_origins(context: Context, origins: list[UUID]) -> list[Row]:
    """The origins of these ids that the tenant has."""
    return await _among(context, "origin", _ORIGIN_COLUMNS, "id", origins)


@operation(scope=Scope.INSTALLATIONS_READ)
async def list_credentials(
    context: Context, installations: list[UUID], columns: Sequence[str] | None = None
) -> list[Row]:
    """List the credentials of these installations, the oldest first; never with a digest or a secret.

    `columns` names those that are wanted; all, where it is absent.
    """
    return await _among(context, "credential", chosen(_CREDENTIAL_COLUMNS, columns), "installation", installations)


@operation(scope=Scope.INSTALLATIONS_READ)
async def get_credentials(context: Context, credentials: list[UUID]) -> list[Row]:
    """The credentials of these ids that the tenant has; never with a digest or a secret."""
    return await _among(context, "credential", _CREDENTIAL_COLUMNS, "id", credentials)


async def _among(context: Context, table: str, columns: str, column: str, values: list[UUID]) -> list[Row]:
    return await rows_among(context.database, table, columns, context.tenant, column, values, "created_at, id")
