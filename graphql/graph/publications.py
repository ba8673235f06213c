"""Publications: what the tenant's people wrote, by DOI."""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry

from graph.connections import After, Before, Connection, First, Last, page_request
from graph.loaders import loader
from graph.parts import Part
from graph.people_found import Share, shares
from graph.problems import Problem
from graph.relay import Node, from_global_id, id_column, register_node
from graph.request import Info
from graph.requires import mutation_field, operation_field
from graph.rows import column, json_text
from graph.scalars import Date, DateTime, LocalisedText
from graph.sorting import Direction, SortDirection, filters_of, keyset, stored
from services.context import Context
from services.people.records.dois import doi_url, normalise_doi
from services.publications import (
    get_publications,
    list_person_publications,
    list_publications,
    set_publication_visibility,
)


@strawberry.enum(description="What publications are sorted by.")
class PublicationSort(Enum):
    LAST_FETCHED_AT = strawberry.enum_value("last_fetched_at", description="When it was last read from ORCID.")
    PUBLICATION_DATE = strawberry.enum_value(
        "publication_date", description="The day of publication; unknown ones first."
    )
    CITED_BY_COUNT = strawberry.enum_value("cited_by_count", description="How often it is cited.")
    CREATED_AT = strawberry.enum_value("created_at", description="When it was taken in.")


@strawberry.input(description="Which publications to list; what is left out does not matter.")
class PublicationFilter:
    q: str | None = strawberry.field(default=None, description="Words of a title in any language, or part of a DOI.")
    doi: str | None = strawberry.field(default=None, description="A DOI, bare or as an address.")
    person: strawberry.ID | None = strawberry.field(default=None, description="The id of one of the authors.")
    publication_type: str | None = strawberry.field(default=None, description="ORCID's type: `journal-article`.")
    publication_year: int | None = strawberry.field(default=None, description="The year of publication.")
    min_cited_by: int | None = strawberry.field(default=None, description="Cited at least this often.")
    listed: bool | None = strawberry.field(default=None, description="Whether consumers see it.")
    visible: bool | None = strawberry.field(default=None, description="False for what somebody has hidden.")

    def conditions(self) -> dict[str, Any]:
        """By the operation's names. Raises ValidationFailed for an id that is no person's."""
        doi = None if self.doi is None else normalise_doi(self.doi) or self.doi.strip().lower()
        return filters_of(self, {"person": "Person"}, doi=doi)


@strawberry.type(description="What people of the workspace wrote, known by its DOI.")
class Publication(Node):
    id: strawberry.ID = id_column("Publication")
    doi: str = column(description="The DOI, lower case and bare.")
    doi_url: str = column(key="doi", convert=doi_url, description="The DOI as an address.")
    title: LocalisedText = column(convert=json_text, description="The title by locale.")
    publication_date: Date | None = column(description="The day of publication, where all of it is known.")
    publication_year: int | None = column(description="The year of publication.")
    publication_type: str = column(description="ORCID's type: `journal-article`, `book`, …")
    cited_by_count: int = column(description="How often it is cited.")
    last_fetched_at: DateTime = column(description="When it was last read from ORCID.")
    visible: bool = column(description="False where somebody has hidden it.")
    listed: bool = column(description="Whether consumers see it: visible, and one of its authors a current member.")
    created_at: DateTime = column(description="When it was taken in.")


async def find_publications(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    return {row["id"]: row for row in await get_publications(context, ids)}


@loader
async def publications_by_id(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    """The publications of these ids."""
    return await find_publications(context, ids)


@loader
async def publications_of(context: Context, keys: list[Share]) -> Mapping[Share, list[Any]]:
    """Each person's latest publications."""
    return await shares(list_person_publications, context, keys)


Id = Annotated[strawberry.ID, strawberry.argument(description="The publication's id.")]
Filter = Annotated[PublicationFilter | None, strawberry.argument(description="Which publications to list.")]
Sort = Annotated[PublicationSort, strawberry.argument(description="What to sort by.")]
Visible = Annotated[bool, strawberry.argument(description="Whether consumers may see it.")]


@strawberry.type
class PublicationQuery:
    @operation_field(list_publications, Connection[Publication] | None, description="All publications, page by page.")
    async def publications(
        self,
        info: Info,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
        filter: Filter = None,
        sort: Sort = PublicationSort.LAST_FETCHED_AT,
        direction: Direction = SortDirection.DESC,
    ) -> Any:
        filters = filter.conditions() if filter else {}
        request = page_request(
            first, last, after, before, sort=stored(sort), descending=direction.descending, filters=filters
        )
        return keyset(await list_publications(info.context.context, request))

    @operation_field(get_publications, Publication | None, description="One publication; null where there is none.")
    async def publication(self, info: Info, id: Id) -> Any:
        return await publications_by_id.load(info.context, from_global_id(str(id), "Publication"))


@strawberry.type(description="The answer to setPublicationVisibility.")
class SetPublicationVisibilityPayload:
    publication: Publication | None = column(description="The publication as it is now.")
    errors: list[Problem] = column(description="Why nothing was changed; empty where it was.")


@strawberry.type
class PublicationMutation:
    @mutation_field(set_publication_visibility, SetPublicationVisibilityPayload, "publication")
    async def set_publication_visibility(self, info: Info, id: Id, visible: Visible) -> Any:
        publication = from_global_id(str(id), "Publication")
        return await set_publication_visibility(info.context.context, publication, visible)


register_node("Publication", find_publications)
PART = Part(query=PublicationQuery, mutation=PublicationMutation)
