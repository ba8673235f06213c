"""Installations as rows: read, found or missing, and as the audit history shows them."""

from typing import Any
from uuid import UUID

import msgspec

from app.database import Statement
from app.errors import NotFound
from models.installations import Credential, Installation, Origin
from services.context import Context
from services.finding import find_row

_SHOWN = (
    "platform", "status", "display_name", "description", "rate_limit_per_minute", "rate_limit_burst", "version",
)  # fmt: skip
_OWN = Statement(
    "SELECT i.id, i.tenant, i.platform, i.status, i.display_name, i.description, i.created_at, i.updated_at, "
    "c.id AS credential_id, c.label, c.status AS credential_status, c.scopes, c.created_at AS credential_created_at, "
    "c.last_used_at, c.expires_at FROM credential c JOIN installation i ON i.id = c.installation "
    "WHERE c.tenant = {tenant} AND i.id = {installation} AND c.kid = {kid}"
)
_OWN_ORIGINS = Statement(
    "SELECT id, origin, verification_status, verified_at, last_checked_at FROM origin "
    "WHERE tenant = {tenant} AND installation = {installation} ORDER BY created_at, id"
)


async def find_installation(tenant: UUID, installation_id: UUID) -> dict[str, Any]:
    return await find_row(Installation, tenant, installation_id)


async def find_origin(tenant: UUID, origin_id: UUID) -> dict[str, Any]:
    return await find_row(Origin, tenant, origin_id)


async def find_credential(tenant: UUID, credential_id: UUID) -> dict[str, Any]:
    return await find_row(Credential, tenant, credential_id)


def public_installation(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _SHOWN}


async def own_installation(context: Context) -> dict[str, Any]:
    """The caller's installation as `{installation, origins}` rows; scopes decoded."""
    who = {"tenant": context.tenant, "installation": context.principal.installation}
    rows = await context.database.fetch(_OWN, kid=context.principal.kid, **who)
    if not rows:
        raise NotFound
    origins = await context.database.fetch(_OWN_ORIGINS, **who)
    row = dict(rows[0])
    return {"installation": row | {"scopes": msgspec.json.decode(row["scopes"])}, "origins": [dict(o) for o in origins]}
