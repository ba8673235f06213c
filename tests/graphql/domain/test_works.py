"""Works over GraphQL: which there are, and their review."""

from typing import Any

import pytest

from graph.relay import to_global_id
from services.people.records import Works
from tests.graphql.domain.people_world import ADA, CARL, ask, person, statements, work
from tests.world import World

LIST = """
query ($filter: WorkFilter, $sort: WorkSort! = PUBLICATION_YEAR, $direction: SortDirection! = ASC) {
  works(first: 100, filter: $filter, sort: $sort, direction: $direction) {
    totalCount nodes { id title workType verified reviewed visible listed deletedAt url person { orcidId } }
  }
}
"""
REVIEW = """
mutation ($id: ID!, $verified: Boolean!) {
  reviewWork(id: $id, verified: $verified) { work { verified reviewed listed } errors { __typename path } }
}
"""
HIDE = """
mutation ($id: ID!, $visible: Boolean!) {
  setWorkVisibility(id: $id, visible: $visible) { work { visible listed } errors { __typename path } }
}
"""


async def shelf(world: World) -> list[dict[str, Any]]:
    """Data 1, asserted by a source; Data 2, the person's own word; Data 3, that ORCID had once."""
    poster = work(2, asserted=False, work_type="poster")
    await world.people(person(), works=Works(works=[work(1), poster, work(3)]))
    await world.people(person(), works=Works(works=[work(1), poster]))
    nodes: list[dict[str, Any]] = (await ask(world, LIST))["works"]["nodes"]
    return nodes


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["Data 1", "Data 2"]),
        ({"deleted": None}, ["Data 1", "Data 2", "Data 3"]),
        ({"deleted": True}, ["Data 3"]),
        ({"verified": False}, ["Data 2"]),
        ({"reviewed": True}, []),
        ({"reviewed": False, "q": "data 2"}, ["Data 2"]),
        ({"workType": "poster"}, ["Data 2"]),
        ({"publicationYear": 2001}, ["Data 1"]),
        ({"listed": True}, ["Data 1"]),
        ({"visible": False}, []),
        ({"person": to_global_id("Person", "00000000-0000-0000-0000-000000000000")}, []),
    ],
)
async def test_filters(world: World, given: Any, expected: list[str]) -> None:
    """What ORCID has no longer is left out unless it is asked for."""
    await shelf(world)
    assert [node["title"] for node in (await ask(world, LIST, filter=given))["works"]["nodes"]] == expected


async def test_a_review_lists_a_work_and_stays(world: World) -> None:
    """A verified work is listed; a later sync does not overrule the reviewer."""
    poster = (await shelf(world))[1]
    assert (poster["verified"], poster["listed"], poster["person"]) == (False, False, {"orcidId": ADA})
    reviewed = (await ask(world, REVIEW, id=poster["id"], verified=True))["reviewWork"]
    assert reviewed == {"work": {"verified": True, "reviewed": True, "listed": True}, "errors": []}
    await shelf(world)
    assert (await ask(world, LIST))["works"]["nodes"][1]["verified"] is True
    refused = (await ask(world, REVIEW, id=poster["id"], verified=False))["reviewWork"]["work"]
    assert refused == {"verified": False, "reviewed": True, "listed": False}


async def test_a_hidden_work_is_not_listed(world: World) -> None:
    first = (await shelf(world))[0]
    hidden = (await ask(world, HIDE, id=first["id"], visible=False))["setWorkVisibility"]
    assert hidden == {"work": {"visible": False, "listed": False}, "errors": []}
    query = "query ($id: ID!) { work(id: $id) { visible putCode createdAt } }"
    assert (await ask(world, query, id=first["id"]))["work"]["putCode"] == "1"
    other = await World(world.app, world.client).open()
    assert await ask(other, query, id=first["id"]) == {"work": None}
    assert (await ask(other, HIDE, id=first["id"], visible=True))["setWorkVisibility"]["errors"] == [
        {"__typename": "NotFound", "path": []}
    ]


@pytest.mark.parametrize("sort", ["CREATED_AT", "PUBLICATION_DATE", "PUBLICATION_YEAR"])
async def test_every_sort_turns_round(world: World, sort: str) -> None:
    await shelf(world)
    up = (await ask(world, LIST, sort=sort))["works"]["nodes"]
    assert (await ask(world, LIST, sort=sort, direction="DESC"))["works"]["nodes"] == up[::-1]


async def test_persons_of_works_are_one_statement(world: World) -> None:
    for orcid_id in (ADA, CARL):
        await world.people(person(orcid_id, "A name"), works=Works(works=[work(n) for n in range(1, 20)]))
    query = "query ($first: Int!) { works(first: $first) { nodes { title person { displayName } } } }"
    assert [await statements(world, query, first=first) for first in (1, 38)] == [2, 2]
