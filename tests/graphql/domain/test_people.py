"""People over GraphQL: lists, one by one, what belongs to them, and what can be done to them."""

from typing import Any

import pytest

from graph.relay import to_global_id
from services.people.orcid import check_digit
from tests.graphql.domain.people_world import ADA, CARL, JOAO, ask, made, person, refused, statements
from tests.world import World

LIST = """
query ($first: Int, $last: Int, $after: String, $before: String, $filter: PersonFilter,
       $sort: PersonSort! = NAME, $direction: SortDirection! = ASC) {
  people(
    first: $first, last: $last, after: $after, before: $before, filter: $filter, sort: $sort, direction: $direction
  ) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id orcidId displayName }
  }
}
"""
ONE = """
query ($id: ID, $orcidId: String) {
  person(id: $id, orcidId: $orcidId) {
    id orcidId displayName name biography lastFetchedAt syncStatus syncError publicationCount visible listed
    createdAt updatedAt memberships { affiliation status endsAt person { orcidId } }
    publications(first: 100) { doi doiUrl title publicationYear }
    works(first: 100) { title verified person { orcidId } }
  }
}
"""
IMPORT = """
mutation ($ids: [String!]!) {
  importPeople(orcidIds: $ids) {
    imported { orcidId created person { orcidId syncStatus listed } }
    errors { __typename code message path ... on ValidationError { fields { field message } } }
  }
}
"""
HIDE = """
mutation ($id: ID, $orcidId: String, $visible: Boolean!) {
  setPersonVisibility(id: $id, orcidId: $orcidId, visible: $visible) {
    person { visible listed } errors { __typename code path }
  }
}
"""


def orcid(number: int) -> str:
    digits = f"{number:015d}"
    whole = digits + check_digit(digits)
    return "-".join(whole[start : start + 4] for start in (0, 4, 8, 12))


async def three(world: World) -> None:
    name = {"en": "Joao Silva", "pt": "João Silva"}
    await world.people(person(), person(JOAO, name, {"pt": "Investigador"}), person(CARL, "Carl Boettiger"))


async def names(world: World, **variables: Any) -> list[str]:
    answer = await ask(world, LIST, **variables)
    return [node["displayName"] for node in answer["people"]["nodes"]]


async def test_people_are_listed_sorted_and_paged_both_ways(world: World) -> None:
    """Pages join without gap or overlap, forward and backward, and the count is of the whole list."""
    await three(world)
    first = (await ask(world, LIST, first=2))["people"]
    assert [node["displayName"] for node in first["nodes"]] == ["Ada Lovelace", "Carl Boettiger"]
    assert first["totalCount"] == 3 and first["pageInfo"]["hasNextPage"]
    rest = (await ask(world, LIST, first=2, after=first["pageInfo"]["endCursor"]))["people"]
    assert [node["displayName"] for node in rest["nodes"]] == ["Joao Silva"]
    assert not rest["pageInfo"]["hasNextPage"] and rest["pageInfo"]["hasPreviousPage"]
    back = (await ask(world, LIST, last=2, before=rest["pageInfo"]["startCursor"]))["people"]
    assert back["nodes"] == first["nodes"]
    assert await names(world, first=9, direction="DESC") == ["Joao Silva", "Carl Boettiger", "Ada Lovelace"]


@pytest.mark.parametrize(
    "sort", ["NAME", "ORCID_ID", "CREATED_AT", "UPDATED_AT", "LAST_FETCHED_AT", "PUBLICATION_COUNT"]
)
async def test_every_sort_pages_through_everybody_once(world: World, sort: str) -> None:
    """With equal sort values the id breaks ties, so a walk by one meets everybody once."""
    await three(world)
    seen, after = [], None
    for _ in range(3):
        page = (await ask(world, LIST, first=1, after=after, sort=sort, direction="DESC"))["people"]
        seen += [node["orcidId"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert sorted(seen) == sorted([ADA, JOAO, CARL])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"q": "JOÃO"}, ["Joao Silva"]),
        ({"q": "1642"}, ["Carl Boettiger"]),
        ({"q": ""}, ["Ada Lovelace", "Carl Boettiger", "Joao Silva"]),
        ({"q": "%"}, []),
        ({"orcidId": f"https://orcid.org/{CARL.lower()}"}, ["Carl Boettiger"]),
        ({"syncStatus": "COMPLETE"}, ["Ada Lovelace", "Carl Boettiger", "Joao Silva"]),
        ({"syncStatus": "FAILED"}, []),
        ({"listed": True, "visible": True}, ["Carl Boettiger", "Joao Silva"]),
        ({"listed": False}, ["Ada Lovelace"]),
        ({"visible": False, "q": None}, ["Ada Lovelace"]),
    ],
)
async def test_filters(world: World, given: Any, expected: list[str]) -> None:
    """Each filter keeps what it says, null is no filter, and several must all hold."""
    await three(world)
    await ask(world, HIDE, orcidId=ADA, visible=False)
    assert await names(world, first=10, filter=given) == expected


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({}, "first"),
        ({"first": 101}, "first"),
        ({"first": 1, "last": 1}, "first"),
        ({"first": 1, "after": "no cursor"}, "after"),
        ({"first": 1, "filter": {"orcidId": "1234"}}, "orcid_id"),
        ({"first": 1, "filter": {"q": "x" * 201}}, "q"),
    ],
)
async def test_a_wrong_argument_is_named(world: World, variables: Any, field: str) -> None:
    data, error = await refused(world, LIST, **variables)
    assert data == {"people": None}
    assert (error["code"], error["fields"][0]["field"]) == ("VALIDATION_FAILED", field)


async def test_one_person_with_all_that_belongs_to_them(world: World) -> None:
    """By id and by ORCID iD alike; names pass through as they are stored, a text or an object."""
    await world.people(person(JOAO, {"en": "Joao Silva", "pt": None}, {"pt": "Sim"}), works=made(3, 2))
    found = (await ask(world, ONE, orcidId=JOAO))["person"]
    assert found["name"] == {"en": "Joao Silva", "pt": None} and found["biography"] == {"pt": "Sim"}
    assert (found["syncStatus"], found["publicationCount"], found["listed"]) == ("COMPLETE", 3, True)
    assert found["memberships"] == [
        {"affiliation": "INTERNAL", "status": "MEMBER", "endsAt": None, "person": {"orcidId": JOAO}}
    ]
    assert [each["doi"] for each in found["publications"]] == ["10.5555/p3", "10.5555/p2", "10.5555/p1"]
    assert found["publications"][0]["title"] == {"en": "Paper 3", "pt": "Artigo 3"}
    assert found["works"][0] == {"title": "Data 2", "verified": True, "person": {"orcidId": JOAO}}
    assert (await ask(world, ONE, id=found["id"]))["person"] == found
    await world.people(person(ADA, "Ada Lovelace"))
    assert (await ask(world, ONE, orcidId=ADA))["person"]["name"] == "Ada Lovelace"


async def test_the_foreign_and_the_missing_are_null_alike(world: World) -> None:
    """Another tenant's person cannot be told from one that does not exist, on every path."""
    other = await World(world.app, world.client).open()
    stranger = (await other.people(person(JOAO)))[0]
    foreign, missing = to_global_id("Person", stranger.person), to_global_id("Person", other.tenant)
    for id in (foreign, missing):
        assert await ask(world, ONE, id=id) == {"person": None}
        assert await ask(world, "query ($id: ID!) { node(id: $id) { id } }", id=id) == {"node": None}
        changed = (await ask(world, HIDE, id=id, visible=False))["setPersonVisibility"]
        assert changed == {"person": None, "errors": [{"__typename": "NotFound", "code": "not_found", "path": []}]}
    assert await ask(world, ONE, orcidId=JOAO) == {"person": None}
    assert (await ask(other, ONE, id=foreign))["person"]["orcidId"] == JOAO


async def test_nodes_finds_every_type(world: World) -> None:
    """An id that the surface gave leads back to what it came from."""
    await world.people(person(), works=made(1, 1))
    query = (
        "{ people(first: 1) { nodes { id memberships { id } publications(first: 1) { id } works(first: 1) { id } } } }"
    )
    found = (await ask(world, query))["people"]["nodes"][0]
    ids = [found["id"], found["memberships"][0]["id"], found["publications"][0]["id"], found["works"][0]["id"]]
    nodes = (await ask(world, "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids))["nodes"]
    assert nodes == [
        {"__typename": kind, "id": id}
        for kind, id in zip(["Person", "Membership", "Publication", "Work"], ids, strict=True)
    ]


async def test_the_number_of_statements_does_not_follow_the_page(world: World) -> None:
    """One statement a page and one for each edge, whether three people are read or thirty."""
    for number in range(1, 31):
        await world.people(person(orcid(number), f"Person {number:02d}"), works=made(number % 4, number % 3))
    nested = """query ($first: Int!) { people(first: $first) { nodes { displayName
      memberships { status person { orcidId } } publications(first: 2) { doi }
      works(first: 2) { title } } } }"""
    plain = "query ($first: Int!) { people(first: $first) { nodes { displayName } } }"
    counted = "query ($first: Int!) { people(first: $first) { totalCount nodes { displayName } } }"
    for query, expected in ((plain, 1), (counted, 2), (nested, 5)):
        assert [await statements(world, query, first=first) for first in (3, 30)] == [expected, expected]


async def test_each_person_has_their_own_share(world: World) -> None:
    """Where many people are read at once each list is cut for itself, by its own `first`."""
    await world.people(person(), works=made(5, 0))
    await world.people(person(CARL, "Carl"), works=made(3, 1))
    query = (
        "{ people(first: 9) { nodes { few: publications(first: 1) { doi } all: publications(first: 100) { doi } } } }"
    )
    found = (await ask(world, query))["people"]["nodes"]
    assert [(len(each["few"]), len(each["all"])) for each in found] == [(1, 5), (1, 3)]
    _, error = await refused(world, "{ people(first: 1) { nodes { publications(first: 101) { doi } } } }")
    assert error["code"] == "VALIDATION_FAILED"


async def test_import_takes_in_each_once_and_queues(world: World) -> None:
    """A repeat in the list is one person; a second import finds everybody there."""
    found = (await ask(world, IMPORT, ids=[ADA, f"https://orcid.org/{ADA}", CARL]))["importPeople"]
    assert [(each["orcidId"], each["created"]) for each in found["imported"]] == [(ADA, True), (CARL, True)]
    assert found["imported"][0]["person"]["orcidId"] == ADA and found["errors"] == []
    again = (await ask(world, IMPORT, ids=[CARL]))["importPeople"]["imported"]
    assert [each["created"] for each in again] == [False]


async def test_a_bad_orcid_id_is_named_by_its_place(world: World) -> None:
    """All or none: one bad iD refuses the list, with its path; several are all told."""
    found = (await ask(world, IMPORT, ids=[ADA, "0000-0002-1825-0098"]))["importPeople"]
    assert found["imported"] is None
    assert (found["errors"][0]["__typename"], found["errors"][0]["path"]) == ("ValidationError", ["orcidIds", "1"])
    both = (await ask(world, IMPORT, ids=["x", ADA, ""]))["importPeople"]["errors"][0]
    assert [each["field"] for each in both["fields"]] == ["orcidIds.0", "orcidIds.2"] and both["path"] == []
    assert (await ask(world, IMPORT, ids=[]))["importPeople"]["errors"][0]["path"] == ["orcidIds"]
    assert (await ask(world, LIST, first=1))["people"]["totalCount"] == 0


async def test_visibility_decides_what_is_listed(world: World) -> None:
    """Hidden people are not listed, and are again once they are shown."""
    await three(world)
    hidden = (await ask(world, HIDE, orcidId=CARL, visible=False))["setPersonVisibility"]
    assert hidden == {"person": {"visible": False, "listed": False}, "errors": []}
    shown = (await ask(world, HIDE, orcidId=CARL, visible=True))["setPersonVisibility"]
    assert shown["person"] == {"visible": True, "listed": True}
    for given in ({}, {"orcidId": CARL, "id": "x"}):
        errors = (await ask(world, HIDE, visible=True, **given))["setPersonVisibility"]["errors"]
        assert (errors[0]["__typename"], errors[0]["path"]) == ("ValidationError", ["id"])


async def test_sync_is_queued(world: World) -> None:
    await three(world)
    query = 'mutation { syncPerson(orcidId: "%s") { person { syncStatus } errors { code } } }' % CARL  # noqa: UP031
    assert (await ask(world, query))["syncPerson"] == {"person": {"syncStatus": "PENDING"}, "errors": []}


async def test_who_may_read_may_not_write(world: World) -> None:
    """A viewer's change is refused in the payload, with what is needed; nobody's read is an error."""
    await three(world)
    payload = (await ask(world, HIDE, world.token("viewer"), orcidId=CARL, visible=False))["setPersonVisibility"]
    assert payload["person"] is None and payload["errors"][0]["__typename"] == "ScopeDenied"
    data, error = await refused(world, LIST, world.token(permissions=["projects.read"]), first=1)
    assert data == {"people": None} and (error["code"], error["required"]) == ("SCOPE_DENIED", "people.read")
    query = "{ people(first: 5) { nodes { orcidId publications(first: 1) { doi } } } }"
    data, error = await refused(world, query, world.token(permissions=["people.read"]))
    assert data["people"]["nodes"][0] == {"orcidId": ADA, "publications": None}
    assert error["required"] == "publications.read"
