"""Which events are asked for."""

from typing import Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

from graph.audit.enums import AuditOutcome
from graph.relay import from_global_id
from graph.scalars import DateTime
from graph.sorting import filters_of


@strawberry.input(description="Which events to listen to: those that pass everything that is given.")
class AuditStreamFilter:
    action: str | None = strawberry.field(default=None, description="This action, such as `credential.issued`.")
    outcome: AuditOutcome | None = strawberry.field(default=None, description="Ended in this way.")
    installation: strawberry.ID | None = strawberry.field(default=None, description="About this installation.")
    actor: str | None = strawberry.field(default=None, description="Done by the actor of this id.")
    request_id: str | None = strawberry.field(default=None, description="In this request.")


@strawberry.input(description="Which events to list: those that pass everything that is given.")
class AuditEventFilter(AuditStreamFilter):
    since: DateTime | None = strawberry.field(default=None, description="Happened then or later.")
    until: DateTime | None = strawberry.field(default=None, description="Happened before then.")


StreamFilter: TypeAlias = Annotated[
    AuditStreamFilter | None, strawberry.argument(description="Which events; all where absent.")
]
EventFilter: TypeAlias = Annotated[
    AuditEventFilter | None, strawberry.argument(description="Which events; all where absent.")
]


def audit_filters(given: AuditStreamFilter | None, installation: UUID | None = None) -> dict[str, Any]:
    """A filter by the names of the operation; `installation` stands above the filter's own."""
    if installation is None and given is not None and given.installation is not None:
        installation = from_global_id(given.installation, "Installation", "installation")
    found = filters_of(given, installation=installation) | {"installation": installation}
    return {name: value for name, value in found.items() if value is not None}
