"""Taking people in, keeping them in step with ORCID, and showing or hiding them."""

from collections.abc import Awaitable
from typing import Annotated, Any

import strawberry

from graph.parts import Part
from graph.people import Person
from graph.people_found import PersonId, PersonOrcid, people_by_id, person_of
from graph.problems import Problem
from graph.request import Info
from graph.requires import mutation_field
from graph.rows import column, field
from services.people.curating import set_person_visibility
from services.people.importing import import_people, sync_person

OrcidIds = Annotated[
    list[str], strawberry.argument(description="1 to 1,000 ORCID iDs, or their addresses at orcid.org.")
]
Visible = Annotated[bool, strawberry.argument(description="Whether consumers may see the person.")]


@strawberry.type(description="One line of an import.")
class ImportedPerson:
    orcid_id: str = column(description="The ORCID iD.")
    created: bool = column(description="False where the person was there already.")

    @field("The person.", Person | None)
    def person(root: strawberry.Parent[Any], info: Info) -> Awaitable[Any]:
        return people_by_id.load(info.context, root.person)


@strawberry.type(description="The answer to importPeople.")
class ImportPeoplePayload:
    imported: list[ImportedPerson] | None = column(description="Who was taken in, in the order given, each once.")
    errors: list[Problem] = column(description="Why nobody was taken in; empty where all were.")


@strawberry.type(description="The answer to syncPerson.")
class SyncPersonPayload:
    person: Person | None = column(description="The person, whose sync waits in the queue.")
    errors: list[Problem] = column(description="Why no sync was queued; empty where one was.")


@strawberry.type(description="The answer to setPersonVisibility.")
class SetPersonVisibilityPayload:
    person: Person | None = column(description="The person as they are now.")
    errors: list[Problem] = column(description="Why nothing was changed; empty where it was.")


@strawberry.type
class PersonMutation:
    @mutation_field(import_people, ImportPeoplePayload, "imported")
    async def import_people(self, info: Info, orcid_ids: OrcidIds) -> Any:
        return await import_people(info.context.context, orcid_ids)

    @mutation_field(sync_person, SyncPersonPayload, "person")
    async def sync_person(self, info: Info, id: PersonId = None, orcid_id: PersonOrcid = None) -> Any:
        context = info.context.context
        return await sync_person(context, await person_of(context, id, orcid_id))

    @mutation_field(set_person_visibility, SetPersonVisibilityPayload, "person")
    async def set_person_visibility(
        self, info: Info, visible: Visible, id: PersonId = None, orcid_id: PersonOrcid = None
    ) -> Any:
        context = info.context.context
        return await set_person_visibility(context, await person_of(context, id, orcid_id), visible)


PART = Part(mutation=PersonMutation)
