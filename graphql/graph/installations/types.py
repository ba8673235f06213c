"""Installations as the control plane shows them."""

from enum import Enum
from typing import Any

import strawberry

from graph.audit.filters import EventFilter, audit_filters
from graph.audit.of_installations import events_of
from graph.audit.types import AuditEvent
from graph.connections import After, Before, Connection, First, Last, Page, page_request
from graph.credentials.types import CREDENTIALS_OF, Credential
from graph.edges import edge
from graph.installations_by_id import find_installations
from graph.origins.types import ORIGINS_OF, Origin
from graph.relay import Node, id_column, register_node
from graph.request import Info
from graph.requires import operation_field
from graph.rows import column
from graph.scalars import DateTime
from graph.sorting import Direction, SortDirection
from graph.usage import Since, Until, UsageCount, usage_of
from services.audit_groups import list_installation_events
from services.installations.reading import list_credentials, list_origins
from services.usage_reports import list_usage


@strawberry.enum(description="Where an installation stands in its life.")
class InstallationStatus(Enum):
    DRAFT = strawberry.enum_value("draft", description="It has no origin yet.")
    PENDING_VERIFICATION = strawberry.enum_value("pending_verification", description="None of its origins is verified.")
    ACTIVE = strawberry.enum_value("active", description="It is served.")
    DISABLED = strawberry.enum_value("disabled", description="It is not served until it is enabled again.")
    REVOKED = strawberry.enum_value("revoked", description="It is never served again.")
    ARCHIVED = strawberry.enum_value("archived", description="It was revoked and is out of the lists.")


@strawberry.enum(description="What the plugin runs on.")
class Platform(Enum):
    WORDPRESS = strawberry.enum_value("wordpress", description="WordPress.")
    DRUPAL = strawberry.enum_value("drupal", description="Drupal.")
    CUSTOM = strawberry.enum_value("custom", description="Anything else.")


@strawberry.type(description="One plugin on one customer's site.")
class Installation(Node):
    id: strawberry.ID = id_column("Installation")
    platform: Platform = column(description="What the plugin runs on.")
    status: InstallationStatus = column(description="Where it stands in its life; only an active one is served.")
    display_name: str = column(description="What people call it.")
    description: str | None = column(description="What else there is to say.")
    rate_limit_per_minute: int | None = column(description="Requests a minute; null for the server's default.")
    rate_limit_burst: int | None = column(description="Requests at once; null for the server's default.")
    created_at: DateTime = column(description="When it was made.")
    updated_at: DateTime = column(description="When it was changed last.")
    version: int = column(description="Grows with each change; `updateInstallation` takes it against lost updates.")

    origins: list[Origin] = edge(
        list_origins, list[Origin], ORIGINS_OF, many=True, description="Where it runs, the oldest first."
    )
    credentials: list[Credential] = edge(
        list_credentials, list[Credential], CREDENTIALS_OF, many=True, description="Its keys, the oldest first."
    )

    @operation_field(list_usage, list[UsageCount], description="How often it used each operation on each day.")
    async def usage(root: strawberry.Parent[Any], info: Info, since: Since = None, until: Until = None) -> Any:
        return await usage_of(info.context, root["id"], since, until)

    @operation_field(list_installation_events, Connection[AuditEvent] | None, description="What happened to it.")
    async def audit_events(
        root: strawberry.Parent[Any],
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        filter: EventFilter = None,
        direction: Direction = SortDirection.DESC,
    ) -> Any:
        wanted = {**audit_filters(filter), "installation": None}
        request = page_request(first, last, after, before, descending=direction.descending, filters=wanted)
        return Page(await events_of(info.context, root["id"], request))


register_node("Installation", find_installations)
