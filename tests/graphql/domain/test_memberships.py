"""Memberships over GraphQL: what is added and ended, and what that does to what consumers see."""

from typing import Any

from graph.relay import to_global_id
from tests.graphql.domain.people_world import ADA, ask, made, person
from tests.world import World

ADD = """
mutation ($orcidId: String, $personId: ID, $affiliation: Affiliation! = INTERNAL, $status: MemberStatus! = MEMBER,
          $startsAt: DateTime) {
  addMembership(
    orcidId: $orcidId, personId: $personId, affiliation: $affiliation, status: $status, startsAt: $startsAt
  ) {
    membership { id affiliation status startsAt endsAt person { listed } } errors { __typename path }
  }
}
"""
END = """
mutation ($id: ID!, $endsAt: DateTime) {
  endMembership(id: $id, endsAt: $endsAt) {
    membership { endsAt person { listed } } errors { __typename path message }
  }
}
"""
LISTED = "{ people(first: 9, filter: {listed: true}) { totalCount nodes { memberships { id status } } } }"


async def add(world: World, **given: Any) -> Any:
    return (await ask(world, ADD, **given))["addMembership"]


async def end(world: World, **given: Any) -> Any:
    return (await ask(world, END, **given))["endMembership"]


async def test_who_has_no_current_internal_membership_is_not_listed(world: World) -> None:
    """Ending the last one unlists the person; a guest's or an outsider's does not list them again."""
    await world.people(person(), works=made(1))
    first = (await ask(world, LISTED))["people"]["nodes"][0]["memberships"][0]["id"]
    ended = await end(world, id=first)
    assert ended["membership"]["endsAt"] and ended["membership"]["person"] == {"listed": False}
    for given in ({"status": "GUEST"}, {"affiliation": "EXTERNAL"}):
        assert (await add(world, orcidId=ADA, **given))["membership"]["person"] == {"listed": False}
    assert (await ask(world, LISTED))["people"]["totalCount"] == 0
    again = (await add(world, orcidId=ADA, startsAt="2025-01-01T01:00:00+01:00"))["membership"]
    assert again["startsAt"] == "2025-01-01T00:00:00.000Z" and again["person"] == {"listed": True}
    held = (await ask(world, LISTED))["people"]["nodes"][0]["memberships"]
    assert [each["status"] for each in held] == ["MEMBER", "GUEST", "MEMBER", "MEMBER"]


async def test_an_end_before_the_start_is_refused(world: World) -> None:
    await world.people(person())
    made_now = (await add(world, orcidId=ADA))["membership"]["id"]
    refused = await end(world, id=made_now, endsAt="2001-01-01T00:00:00Z")
    assert refused["membership"] is None
    assert (refused["errors"][0]["__typename"], refused["errors"][0]["path"]) == ("ValidationError", ["endsAt"])


async def test_the_missing_and_the_wrong_are_refused(world: World) -> None:
    """An id of another type is not valid; one of nobody's is not found."""
    await world.people(person())
    missing = to_global_id("Membership", world.tenant)
    assert (await end(world, id=missing))["errors"][0]["__typename"] == "NotFound"
    wrong = (await end(world, id=to_global_id("Person", world.tenant)))["errors"][0]
    assert (wrong["__typename"], wrong["path"]) == ("ValidationError", ["id"])
    assert (await add(world))["errors"][0]["path"] == ["personId"]
    stranger = await add(world, personId=to_global_id("Person", world.tenant))
    assert stranger["errors"][0]["__typename"] == "NotFound"
