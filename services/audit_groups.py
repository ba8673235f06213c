"""The audit history of each of many installations, by one statement for all of them."""

from uuid import UUID

from app.auth.scopes import Scope
from app.errors import ValidationFailed
from services.audit import EVENTS
from services.context import Context
from services.operations import operation
from services.paging import KeysetPage, KeysetRequest
from services.paging_groups import keyset_pages


@operation(scope=Scope.AUDIT_READ, raises=[ValidationFailed])
async def list_installation_events(
    context: Context, installations: list[UUID], request: KeysetRequest
) -> dict[UUID, KeysetPage]:
    """List the audit events of each installation: the same page of each one's own list."""
    return await keyset_pages(context.database, context.tenant, EVENTS, request, "installation", installations)
