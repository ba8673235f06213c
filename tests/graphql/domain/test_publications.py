"""Publications over GraphQL."""

from typing import Any

import pytest

from services.people.records import Works
from tests.graphql.domain.people_world import ADA, CARL, ask, made, person, publication, refused, statements
from tests.world import World

LIST = """
query ($filter: PublicationFilter, $sort: PublicationSort! = PUBLICATION_DATE, $direction: SortDirection! = DESC) {
  publications(first: 100, filter: $filter, sort: $sort, direction: $direction) {
    totalCount nodes { id doi doiUrl title publicationYear publicationType citedByCount listed visible }
  }
}
"""
HIDE = """
mutation ($id: ID!, $visible: Boolean!) {
  setPublicationVisibility(id: $id, visible: $visible) { publication { doi visible listed } errors { __typename } }
}
"""


async def dois(world: World, **variables: Any) -> list[str]:
    return [node["doi"] for node in (await ask(world, LIST, **variables))["publications"]["nodes"]]


async def library(world: World) -> str:
    """Three publications, one of them a book; the id of the person who wrote them all."""
    book = publication(9, publication_type="book", title={"en": "A Bücher Book"}, publication_date="2009-05-01")
    dated = publication(1, publication_date="2001-01-01")
    await world.people(person(), works=Works([dated, publication(2), book]))
    await world.people(person(CARL, "Carl"), works=Works([publication(2)]))
    return str((await ask(world, '{ person(orcidId: "%s") { id } }' % ADA))["person"]["id"])  # noqa: UP031


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"q": "bucher"}, ["9"]),
        ({"q": "5555/p2"}, ["2"]),
        ({"publicationType": "book"}, ["9"]),
        ({"publicationYear": 2002}, ["2"]),
        ({"minCitedBy": 1}, []),
        ({"doi": "https://doi.org/10.5555/P1"}, ["1"]),
        ({"doi": "nothing"}, []),
        ({"listed": True, "visible": True}, ["9", "1", "2"]),
        ({"visible": False}, []),
    ],
)
async def test_filters(world: World, given: Any, expected: list[str]) -> None:
    await library(world)
    assert await dois(world, filter=given) == [f"10.5555/p{number}" for number in expected]


async def test_the_publications_of_a_person(world: World) -> None:
    """By the person's id; an id of another type is refused by name."""
    ada = await library(world)
    assert len(await dois(world, filter={"person": ada})) == 3
    _, error = await refused(world, LIST, filter={"person": "x"})
    assert error["fields"] == [{"field": "person", "message": "must be the id of a Person"}]


@pytest.mark.parametrize("sort", ["LAST_FETCHED_AT", "PUBLICATION_DATE", "CITED_BY_COUNT", "CREATED_AT"])
async def test_every_sort_turns_round(world: World, sort: str) -> None:
    await library(world)
    up = await dois(world, sort=sort, direction="ASC")
    assert (await dois(world, sort=sort))[::-1] == up and len(up) == 3


async def test_hiding_one_hides_it_for_all_its_authors(world: World) -> None:
    """It is no longer listed, nor counted with any of its authors; `publication` still finds it."""
    await library(world)
    found = (await ask(world, LIST, filter={"doi": "10.5555/p2"}))["publications"]["nodes"][0]
    hidden = (await ask(world, HIDE, id=found["id"], visible=False))["setPublicationVisibility"]
    assert hidden == {"publication": {"doi": "10.5555/p2", "visible": False, "listed": False}, "errors": []}
    counts = (await ask(world, "{ people(first: 9) { nodes { publicationCount } } }"))["people"]["nodes"]
    assert counts == [{"publicationCount": 2}, {"publicationCount": 0}]
    query = "query ($id: ID!) { publication(id: $id) { visible createdAt lastFetchedAt } }"
    assert (await ask(world, query, id=found["id"]))["publication"]["visible"] is False
    assert await ask(await World(world.app, world.client).open(), query, id=found["id"]) == {"publication": None}


async def test_a_page_is_one_statement(world: World) -> None:
    await world.people(person(), works=made(40))
    query = "query ($first: Int!) { publications(first: $first) { nodes { title } } }"
    assert [await statements(world, query, first=first) for first in (2, 40)] == [1, 1]
