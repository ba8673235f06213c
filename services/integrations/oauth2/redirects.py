"""Where a tenant's authorizations may come back to: a list of whole URIs, compared letter by letter (RFC 9700)."""

from typing import Any
from uuid import UUID

from app.auth.scopes import Scope
from app.errors import Conflict, NotFound, ValidationFailed
from models.integrations import IntegrationRedirect
from services.context import Context
from services.integrations.definitions.addresses import check_url
from services.integrations.definitions.faults import Fault
from services.operations import operation

_MOST = 100
_LONGEST = 2_000
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@operation(scope=Scope.INTEGRATIONS_READ)
async def list_integration_redirects(context: Context) -> list[dict[str, Any]]:
    """The redirect URIs that the tenant's authorizations may come back to, in the order in which they were added."""
    table = IntegrationRedirect
    rows = await table.of(context.tenant).select(table.id, table.uri, table.created_at).order_by(table.id)
    return list(rows)


@operation(
    scope=Scope.TENANTS_ADMIN, audit="integration_redirect.added", writes=True, raises=[ValidationFailed, Conflict]
)
async def add_integration_redirect(context: Context, uri: str) -> dict[str, Any]:
    """Let authorizations come back to a URI: https, or http on a loopback host, without a fragment."""
    _check_uri(uri)
    table = IntegrationRedirect
    await context.database.lock(f"redirects:{context.tenant}")
    if await table.of(context.tenant).exists(table.uri == uri):
        raise Conflict("This redirect URI is on the list already.")
    if await table.of(context.tenant).count() >= _MOST:
        raise Conflict(f"A tenant has at most {_MOST} redirect URIs; remove one first.")
    made = await table.of(context.tenant).insert({"uri": uri, "created_at": context.now})
    context.note("integration_redirect", made[0]["id"], after={"uri": uri})
    return {"id": made[0]["id"], "uri": uri, "created_at": context.now}


@operation(scope=Scope.TENANTS_ADMIN, audit="integration_redirect.removed", writes=True, raises=[NotFound])
async def remove_integration_redirect(context: Context, redirect_id: UUID) -> dict[str, Any]:
    """Take a redirect URI off the list; an authorization that was begun with it is still completed."""
    table: Any = IntegrationRedirect
    removing = table.of(context.tenant).delete().where(table.id == redirect_id)
    rows = await removing.returning(table.id, table.uri, table.created_at)
    if not rows:
        raise NotFound("There is no such redirect URI.")
    context.note("integration_redirect", redirect_id, before={"uri": rows[0]["uri"]})
    return dict(rows[0])


def _check_uri(uri: str) -> None:
    if len(uri) > _LONGEST:
        raise ValidationFailed({"uri": f"must be at most {_LONGEST} characters"})
    try:
        host = check_url(uri, query=True)
    except Fault as fault:
        raise ValidationFailed({"uri": str(fault)}) from None
    if uri.startswith("http:") and host not in _LOOPBACK:
        raise ValidationFailed({"uri": "must begin with https://, except on localhost"})


async def check_redirect(context: Context, uri: str) -> None:
    """Raises ValidationFailed for a URI that is not on the tenant's list."""
    if not await IntegrationRedirect.of(context.tenant).exists(IntegrationRedirect.uri == uri):
        raise ValidationFailed({"redirectUri": "is not one of the tenant's redirect URIs"})
