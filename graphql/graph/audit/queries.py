"""The audit history, read."""

from typing import Annotated, Any

import strawberry

from graph.audit.filters import EventFilter, audit_filters
from graph.audit.types import AuditEvent, ChainReport, Decision
from graph.connections import After, Before, Connection, First, Last, Page, page_request
from graph.request import Info
from graph.requires import operation_field
from graph.sorting import Direction, SortDirection
from services.audit import explain_decision, list_audit_events, verify_audit


@strawberry.type
class AuditQuery:
    @operation_field(
        list_audit_events, Connection[AuditEvent], description="The tenant's audit events by their place in the chain."
    )
    async def audit_events(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        filter: EventFilter = None,
        direction: Direction = SortDirection.DESC,
    ) -> Any:
        wanted = audit_filters(filter)
        request = page_request(first, last, after, before, descending=direction.descending, filters=wanted)
        return Page(await list_audit_events(info.context.context, request))

    @operation_field(explain_decision, Decision | None, absent=True)
    async def explain_decision(
        self,
        info: Info,
        request_id: Annotated[str, strawberry.argument(description="The id of a refused request.")],
    ) -> Any:
        return await explain_decision(info.context.context, request_id)

    @operation_field(verify_audit, ChainReport, cost=100)
    async def verify_audit(self, info: Info) -> Any:
        return await verify_audit(info.context.context)
