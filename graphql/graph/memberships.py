"""What people are to the workspace; an internal, current member is who consumers see."""

from collections.abc import Awaitable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from graph.loaders import loader
from graph.parts import Part
from graph.people_found import PersonId, PersonOrcid, people_by_id, person_of
from graph.problems import Problem
from graph.relay import Node, from_global_id, id_column, register_node
from graph.request import Info
from graph.requires import mutation_field, operation_field
from graph.rows import column
from graph.scalars import DateTime
from graph.sorting import stored
from services.context import Context
from services.people.curating import add_membership, end_membership
from services.people.reading import get_memberships, get_people, list_memberships

if TYPE_CHECKING:
    from graph.people import Person


@strawberry.enum(description="Whether a person belongs to the workspace.")
class Affiliation(Enum):
    INTERNAL = strawberry.enum_value("internal", description="Belongs to it.")
    EXTERNAL = strawberry.enum_value("external", description="Works with it from outside.")


@strawberry.enum(description="What a person is to the workspace.")
class MemberStatus(Enum):
    MEMBER = strawberry.enum_value("member", description="Is a member.")
    ALUMNI = strawberry.enum_value("alumni", description="Was a member.")
    GUEST = strawberry.enum_value("guest", description="Is a guest.")


@strawberry.type(description="What a person is to the workspace, and for how long.")
class Membership(Node):
    id: strawberry.ID = id_column("Membership")
    affiliation: Affiliation = column(description="Whether the person belongs to the workspace.")
    status: MemberStatus = column(description="What the person is to it.")
    starts_at: DateTime | None = column(description="Since when.")
    ends_at: DateTime | None = column(description="Until when; null while it goes on.")
    created_at: DateTime = column(description="When it was entered.")
    updated_at: DateTime = column(description="When it was last changed.")

    @operation_field(
        get_people, Annotated["Person", strawberry.lazy("graph.people")] | None, description="Whose it is."
    )
    def person(root: strawberry.Parent[Any], info: Info) -> Awaitable[Any]:
        return people_by_id.load(info.context, root["person"])


async def find_memberships(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    return {row["id"]: row for row in await get_memberships(context, ids)}


@loader
async def memberships_of(context: Context, people: list[UUID]) -> Mapping[UUID, list[Any]]:
    """Each person's memberships, the oldest first."""
    found: dict[UUID, list[Any]] = {person: [] for person in people}
    for row in await list_memberships(context, people):
        found[row["person"]].append(row)
    return found


Id = Annotated[strawberry.ID, strawberry.argument(description="The membership's id.")]
WhatIs = Annotated[Affiliation, strawberry.argument(description="Whether the person belongs to the workspace.")]
As = Annotated[MemberStatus, strawberry.argument(description="What the person is to it.")]
Since = Annotated[DateTime | None, strawberry.argument(description="Since when; now where it is left out.")]
Until = Annotated[DateTime | None, strawberry.argument(description="Until when; now where it is left out.")]


@strawberry.type(description="The answer to addMembership.")
class AddMembershipPayload:
    membership: Membership | None = column(description="The membership that was added.")
    errors: list[Problem] = column(description="Why none was added; empty where one was.")


@strawberry.type(description="The answer to endMembership.")
class EndMembershipPayload:
    membership: Membership | None = column(description="The membership as it is now.")
    errors: list[Problem] = column(description="Why nothing was changed; empty where it was.")


@strawberry.type
class MembershipMutation:
    @mutation_field(add_membership, AddMembershipPayload, "membership")
    async def add_membership(
        self,
        info: Info,
        person_id: PersonId = None,
        orcid_id: PersonOrcid = None,
        affiliation: WhatIs = Affiliation.INTERNAL,
        status: As = MemberStatus.MEMBER,
        starts_at: Since = None,
    ) -> Any:
        context = info.context.context
        person = await person_of(context, person_id, orcid_id, "personId")
        return await add_membership(context, person, stored(affiliation), stored(status), starts_at)

    @mutation_field(end_membership, EndMembershipPayload, "membership")
    async def end_membership(self, info: Info, id: Id, ends_at: Until = None) -> Any:
        return await end_membership(info.context.context, from_global_id(str(id), "Membership"), ends_at)


register_node("Membership", find_memberships)
PART = Part(mutation=MembershipMutation)
