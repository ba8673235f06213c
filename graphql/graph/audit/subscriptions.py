"""The audit history, listened to."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import strawberry

from graph.audit.filters import StreamFilter, audit_filters
from graph.audit.stream import audit_messages
from graph.audit.types import AuditEvent
from graph.request import Info
from graph.requires import subscription_field
from graph.rows import AbsentAsNull, column
from graph.scalars import BigInt
from services.audit import list_audit_events

Since = Annotated[
    BigInt | None,
    strawberry.argument(description="Begin behind the event of this `seq`; 0 for all. From now on where absent."),
]


@strawberry.type(description="A notice that events came faster than they were read.")
class Lagged:
    dropped: int = column(description="How many left the queue unread; they follow, read from the history.")


@strawberry.type(description="One message of a stream of audit events: an event or a notice.")
class AuditMessage:
    event: AuditEvent | None = column(description="The event; null in a notice.")
    lagged: Lagged | None = column(description="The notice; null with an event.")


@strawberry.type
class AuditSubscription:
    @subscription_field(
        list_audit_events,
        AuditMessage,
        description="The tenant's audit events as they are sealed, each once and in order. To resume, give the last "
        "`seq` as `since`.",
    )
    async def audit_events(
        self, info: Info, since: Since = None, filter: StreamFilter = None
    ) -> AsyncGenerator[Any, None]:
        async for message in audit_messages(info.context.context, since, audit_filters(filter), info.context.listening):
            yield AbsentAsNull(message)
