"""People, and what they are, wrote and made."""

from collections.abc import Awaitable
from enum import Enum
from typing import Annotated, Any

import strawberry

from graph.connections import After, Before, Connection, First, Last, page_request
from graph.edges import edge
from graph.memberships import Membership, memberships_of
from graph.parts import Part
from graph.people_found import Most, PersonId, PersonOrcid, find_people, people_by_id, person_of, share
from graph.publications import Publication, publications_of
from graph.relay import Node, id_column, register_node
from graph.request import Info
from graph.requires import operation_field
from graph.rows import column, json_text
from graph.scalars import DateTime, LocalisedText
from graph.sorting import Direction, SortDirection, filters_of, keyset, stored
from graph.works import Work, works_of
from services.people.names import shown_name
from services.people.orcid import parse_orcid
from services.people.reading import get_people, list_memberships, list_people
from services.publications import list_person_publications
from services.works import list_person_works


@strawberry.enum(description="How far the last sync of a person came.")
class SyncStatus(Enum):
    PENDING = strawberry.enum_value("pending", description="It waits in the queue.")
    PROCESSING = strawberry.enum_value("processing", description="It is running.")
    COMPLETE = strawberry.enum_value("complete", description="What ORCID says is stored.")
    FAILED = strawberry.enum_value("failed", description="It failed; `syncError` says why.")


@strawberry.enum(description="What people are sorted by.")
class PersonSort(Enum):
    NAME = strawberry.enum_value("name", description="The name that is shown, without regard to case.")
    ORCID_ID = strawberry.enum_value("orcid_id", description="The ORCID iD.")
    CREATED_AT = strawberry.enum_value("created_at", description="When the person was taken in.")
    UPDATED_AT = strawberry.enum_value("updated_at", description="When the person was last changed.")
    LAST_FETCHED_AT = strawberry.enum_value("last_fetched_at", description="When ORCID was last read; never first.")
    PUBLICATION_COUNT = strawberry.enum_value("publication_count", description="How many publications there are.")


@strawberry.input(description="Which people to list; what is left out does not matter.")
class PersonFilter:
    q: str | None = strawberry.field(default=None, description="Part of a name in any language, or of an ORCID iD.")
    orcid_id: str | None = strawberry.field(default=None, description="The whole ORCID iD.")
    sync_status: SyncStatus | None = strawberry.field(default=None, description="How far the last sync came.")
    listed: bool | None = strawberry.field(default=None, description="Whether consumers see the person.")
    visible: bool | None = strawberry.field(default=None, description="False for those whom somebody has hidden.")

    def conditions(self) -> dict[str, Any]:
        """By the operation's names. Raises ValidationFailed for what is no ORCID iD."""
        return filters_of(self, orcid_id=None if self.orcid_id is None else parse_orcid(self.orcid_id))


@strawberry.type(description="Somebody with an ORCID iD.")
class Person(Node):
    id: strawberry.ID = id_column("Person")
    orcid_id: str = column(description="The ORCID iD.")
    display_name: str = column(key="name", convert=shown_name, description="The name to show.")
    name: LocalisedText = column(convert=json_text, description="The name: a text, or texts by locale.")
    biography: LocalisedText | None = column(convert=json_text, description="What the person says of themselves.")
    last_fetched_at: DateTime | None = column(description="When ORCID was last read; null before the first time.")
    sync_status: SyncStatus = column(description="How far the last sync came.")
    sync_error: str | None = column(description="Why the last sync failed.")
    publication_count: int = column(description="How many publications that are not hidden there are.")
    visible: bool = column(description="False where somebody has hidden the person.")
    listed: bool = column(description="Whether consumers see the person: visible, and a current internal member.")
    created_at: DateTime = column(description="When the person was taken in.")
    updated_at: DateTime = column(description="When the person was last changed.")

    memberships: list[Membership] = edge(
        list_memberships,
        list[Membership],
        memberships_of,
        many=True,
        description="What the person is to the workspace.",
    )

    @operation_field(list_person_publications, list[Publication] | None, description="The latest publications.")
    def publications(root: strawberry.Parent[Any], info: Info, first: Most) -> Awaitable[Any]:
        return publications_of.load(info.context, share(root["id"], first))

    @operation_field(list_person_works, list[Work] | None, description="The latest works.")
    def works(root: strawberry.Parent[Any], info: Info, first: Most) -> Awaitable[Any]:
        return works_of.load(info.context, share(root["id"], first))


Filter = Annotated[PersonFilter | None, strawberry.argument(description="Which people to list.")]
Sort = Annotated[PersonSort, strawberry.argument(description="What to sort by.")]


@strawberry.type
class PeopleQuery:
    @operation_field(list_people, Connection[Person] | None, description="All people, page by page.")
    async def people(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        filter: Filter = None,
        sort: Sort = PersonSort.NAME,
        direction: Direction = SortDirection.ASC,
    ) -> Any:
        filters = filter.conditions() if filter else {}
        request = page_request(
            first, last, after, before, sort=stored(sort), descending=direction.descending, filters=filters
        )
        return keyset(await list_people(info.context.context, request))

    @operation_field(
        get_people, Person | None, absent=True, description="One person by id or ORCID iD; null where there is none."
    )
    async def person(self, info: Info, id: PersonId = None, orcid_id: PersonOrcid = None) -> Any:
        person = await person_of(info.context.context, id, orcid_id)
        return await people_by_id.load(info.context, person)


register_node("Person", find_people)
PART = Part(query=PeopleQuery)
