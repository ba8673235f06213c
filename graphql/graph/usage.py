"""How often installations asked what, on which day."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, NamedTuple, TypeAlias
from uuid import UUID

import strawberry

from graph.loaders import loader
from graph.parts import Part
from graph.relay import from_global_id, id_column
from graph.request import GraphContext, Info
from graph.requires import operation_field
from graph.rows import column
from graph.scalars import BigInt, Date
from services.context import Context
from services.usage_reports import list_usage

DAYS = 30

Since: TypeAlias = Annotated[
    Date | None, strawberry.argument(description=f"The first day (UTC); {DAYS} days before `until` where absent.")
]
Until: TypeAlias = Annotated[
    Date | None, strawberry.argument(description="The last day (UTC), included; today where absent.")
]


@strawberry.type(description="How often an installation used an operation on a day.")
class UsageCount:
    installation_id: strawberry.ID = id_column("Installation", "installation")
    api: str = column(description="The version of the interface, such as `integrations/v1`.")
    operation: str = column(description="The operation, such as `list_people`.")
    day: Date = column(description="The day, in UTC.")
    count: BigInt = column(description="How many requests were answered.")


class Span(NamedTuple):
    """Days from `since` to `until`, both included, as YYYY-MM-DD."""

    since: str
    until: str


def span(context: Context, since: str | None, until: str | None) -> Span:
    """The days that are asked for, by default the last thirty."""
    last = date.fromisoformat(until) if until else datetime.fromtimestamp(context.now / 1_000, UTC).date()
    return Span(since or _days_before(last).isoformat(), last.isoformat())


def _days_before(last: date) -> date:
    return date.fromordinal(max(1, last.toordinal() - DAYS))


async def _usage_of(context: Context, keys: list[tuple[Span, UUID]]) -> Mapping[tuple[Span, UUID], list[Any]]:
    """Counts of installations; one statement for each span of days."""
    asked: dict[Span, list[UUID]] = defaultdict(list)
    for days, installation in keys:
        asked[days].append(installation)
    found: dict[tuple[Span, UUID], list[Any]] = defaultdict(list)
    for days, installations in asked.items():
        for row in await list_usage(context, days.since, days.until, installations):
            found[days, row["installation"]].append(row)
    return found


USAGE = loader(_usage_of)


async def usage_of(graph: GraphContext, installation: UUID, since: str | None, until: str | None) -> list[Any]:
    """The counts of one installation, loaded together with its siblings'."""
    return await USAGE.load(graph, (span(graph.context, since, until), installation)) or []


Of: TypeAlias = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only of this installation; of all where absent.")
]


@strawberry.type
class UsageQuery:
    @operation_field(list_usage, list[UsageCount], cost=10)
    async def usage(self, info: Info, since: Since = None, until: Until = None, installation: Of = None) -> Any:
        context = info.context.context
        wanted = None if installation is None else from_global_id(installation, "Installation", "installation")
        return await list_usage(context, *span(context, since, until), wanted)


PART = Part(query=UsageQuery)
