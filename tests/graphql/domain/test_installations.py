"""Installations through the control plane: read, changed, and out of reach."""

import pytest

from app.ids import new_id
from graph.relay import to_global_id
from tests.world import World

PAGE = """query ($first: Int, $filter: InstallationFilter, $sort: InstallationSort! = CREATED_AT, $after: String) {
  installations(first: $first, filter: $filter, sort: $sort, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { id displayName status platform archived: version }
  }
}"""
NESTED = """query ($first: Int!) {
  installations(first: $first) { nodes { displayName origins { origin } credentials { kid label } } }
}"""
STEP = "mutation ($id: ID!) { %sInstallation(id: $id) { installation { status } errors { code message } } }"
READ = "query ($id: ID!) { installation(id: $id) { id displayName } node(id: $id) { __typename id } }"


async def ask(world: World, query: str, *permissions: str, **variables: object) -> dict:
    """The answer's body; the token carries these permissions, or the operator's."""
    token = world.token(permissions=permissions) if permissions else world.token("operator")
    answer = await world.graphql(query, token, **variables)
    assert answer.status_code == 200, answer.text
    return answer.json()


def gid(row: dict, kind: str = "Installation") -> str:
    return to_global_id(kind, row["id"])


async def test_a_list_is_filtered_sorted_and_paged(world):
    """Status and platform as enums; a cursor continues where it stopped."""
    for number, platform in enumerate(("wordpress", "drupal", "drupal")):
        await world.installation(verified=number != 0, platform=platform)
    first = (await ask(world, PAGE, first=2))["data"]["installations"]
    assert (first["totalCount"], len(first["nodes"]), first["pageInfo"]["hasNextPage"]) == (3, 2, True)
    rest = (await ask(world, PAGE, first=2, after=first["pageInfo"]["endCursor"]))["data"]["installations"]
    assert {one["id"] for one in first["nodes"]}.isdisjoint(one["id"] for one in rest["nodes"])
    assert (len(rest["nodes"]), rest["pageInfo"]["hasNextPage"]) == (1, False)
    drafts = (await ask(world, PAGE, first=5, filter={"status": "DRAFT"}))["data"]["installations"]["nodes"]
    assert [(one["status"], one["platform"]) for one in drafts] == [("DRAFT", "WORDPRESS")]
    drupals = (await ask(world, PAGE, first=5, filter={"platform": "DRUPAL"}, sort="DISPLAY_NAME"))["data"]
    assert drupals["installations"]["totalCount"] == 2


async def test_archived_ones_are_listed_only_when_asked_for(world):
    """Archiving puts an installation out of the lists."""
    kept, gone = await world.installation(), await world.installation()
    for step in ("revoke", "archive"):
        await ask(world, STEP % step, id=gid(gone))
    listed = (await ask(world, PAGE, first=5))["data"]["installations"]["nodes"]
    assert [one["id"] for one in listed] == [gid(kept)]
    for wanted in ({"archived": True}, {"status": "ARCHIVED"}):
        found = (await ask(world, PAGE, first=5, filter=wanted))["data"]["installations"]["nodes"]
        assert [one["id"] for one in found] == [gid(gone)]


async def test_a_page_must_say_its_size(world):
    """A refusal of the arguments names them."""
    for first in (None, 0, 101):
        error = (await ask(world, PAGE, first=first))["errors"][0]
        assert error["extensions"]["code"] == "VALIDATION_FAILED"
        assert error["extensions"]["fields"][0]["field"] == "first"


async def test_nested_edges_cost_one_statement_each(world):
    """Origins and credentials of a page are read together, however long it is."""
    for _ in range(50):
        made = await world.installation()
        await world.key(made["id"])
    token, counts = world.token("operator"), {}
    for first in (1, 20, 50):
        with world.runtime.database.count_statements() as sent:
            answer = await world.graphql(NESTED, token, first=first)
        nodes = answer.json()["data"]["installations"]["nodes"]
        assert len(nodes) == first
        assert all(len(one["origins"]) == len(one["credentials"]) == 1 for one in nodes)
        counts[first] = [text for text in sent.texts if "installation" in text and "audit" not in text]
    assert {first: len(texts) for first, texts in counts.items()} == {1: 3, 20: 3, 50: 3}, counts[50]


async def test_the_history_of_a_page_is_one_statement(world):
    """Each installation's newest events, read together; `totalCount` counts its own."""
    for _ in range(4):
        await world.installation()
    await world.runtime.sealer.seal_all()
    query = """query ($first: Int!) { installations(first: $first) { nodes { id auditEvents(first: 2) {
      totalCount pageInfo { hasNextPage } nodes { seq action installation { id } } } } } }"""
    pages = query.replace("totalCount", "")
    for first in (1, 4):
        with world.runtime.database.count_statements() as sent:
            await ask(world, pages, first=first)
        assert len([text for text in sent.texts if "audit_seal" in text and "_place" in text]) == 1
    for one in (await ask(world, query, first=4))["data"]["installations"]["nodes"]:
        events = one["auditEvents"]
        assert (len(events["nodes"]), events["pageInfo"]["hasNextPage"]) == (2, True)
        assert events["totalCount"] >= 3
        assert events["nodes"][0]["seq"] > events["nodes"][1]["seq"]
        assert {event["installation"]["id"] for event in events["nodes"]} == {one["id"]}


async def test_the_history_of_one_installation_goes_on_behind_a_cursor(world):
    """Forward and backward, without a repeat; somebody without audit.read sees the rest of the installation."""
    made = await world.installation()
    await world.runtime.sealer.seal_all()
    query = """query ($id: ID!, $first: Int, $last: Int, $after: String, $before: String) { installation(id: $id) {
      displayName auditEvents(first: $first, last: $last, after: $after, before: $before, direction: ASC) {
      edges { cursor node { seq } } } } }"""

    async def seqs(**page):
        edges = (await ask(world, query, id=gid(made), **page))["data"]["installation"]["auditEvents"]["edges"]
        return [edge["node"]["seq"] for edge in edges], edges

    every, edges = await seqs(first=50)
    assert every == sorted(set(every))
    assert (await seqs(first=50, after=edges[0]["cursor"]))[0] == every[1:]
    assert (await seqs(last=2, before=edges[-1]["cursor"]))[0] == every[-3:-1]
    answer = await ask(world, query, "installations.read", id=gid(made), first=5)
    assert answer["data"]["installation"] == {"displayName": "A site", "auditEvents": None}
    assert answer["errors"][0]["extensions"]["code"] == "SCOPE_DENIED"


async def test_made_changed_and_taken_through_its_life(world):
    """Every step answers with the installation; a step that is not open is a conflict in the payload."""
    create = """mutation ($input: CreateInstallationInput!) { createInstallation(input: $input) {
      installation { id status platform description version } errors { code } } }"""
    given = {"displayName": "Лаборатория", "platform": "DRUPAL", "description": "Physics"}
    made = (await ask(world, create, input=given))["data"]["createInstallation"]["installation"]
    assert (made["status"], made["platform"], made["version"]) == ("DRAFT", "DRUPAL", 1)
    update = """mutation ($input: UpdateInstallationInput!) { updateInstallation(input: $input) {
      installation { displayName description version } errors { __typename code path } } }"""
    changes = {"id": made["id"], "description": None, "version": 1}
    changed = (await ask(world, update, input=changes))["data"]["updateInstallation"]
    assert changed["installation"] == {"displayName": "Лаборатория", "description": None, "version": 2}
    stale = (await ask(world, update, input=changes))["data"]["updateInstallation"]
    assert stale == {
        "installation": None,
        "errors": [{"__typename": "Conflict", "code": "version_conflict", "path": []}],
    }
    for step, code in (("disable", "invalid_transition"), ("archive", "invalid_transition")):
        refused = (await ask(world, STEP % step, id=made["id"]))["data"][f"{step}Installation"]
        assert (refused["installation"], refused["errors"][0]["code"]) == (None, code)


async def test_disabled_and_enabled_revoked_and_archived(world):
    """The whole way of an active installation."""
    made = await world.installation()
    for step, status in (
        ("disable", "DISABLED"), ("enable", "ACTIVE"), ("revoke", "REVOKED"), ("archive", "ARCHIVED"),
    ):  # fmt: skip
        answer = (await ask(world, STEP % step, id=gid(made)))["data"][f"{step}Installation"]
        assert answer == {"installation": {"status": status}, "errors": []}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"displayName": " "}, ["displayName"]),
        ({"displayName": None}, ["displayName"]),
        ({"rateLimitPerMinute": 0}, ["rateLimitPerMinute"]),
        ({}, ["change"]),
    ],
)
async def test_a_refused_change_names_the_input(world, change, path):
    """In the words of this surface."""
    made = await world.installation(verified=False)
    query = """mutation ($input: UpdateInstallationInput!) { updateInstallation(input: $input) {
      errors { __typename code path } } }"""
    answer = await ask(world, query, input={"id": gid(made), **change})
    expected = {"__typename": "ValidationError", "code": "validation_failed", "path": path}
    assert answer["data"]["updateInstallation"]["errors"] == [expected]


async def test_the_missing_and_the_foreign_are_null(world):
    """By id and by node, and a change of one is the same NotFound."""
    made = await world.installation()
    stranger = world.token("admin", tenant=(await World(world.app, world.client).open()).tenant)
    for token, wanted in ((stranger, gid(made)), (world.token("admin"), to_global_id("Installation", new_id()))):
        answer = (await world.graphql(READ, token, id=wanted)).json()
        assert answer["data"] == {"installation": None, "node": None}
        assert "errors" not in answer
        refused = (await world.graphql(STEP % "revoke", token, id=wanted)).json()["data"]["revokeInstallation"]
        assert refused["errors"][0]["code"] == "not_found"
    found = (await ask(world, READ, id=gid(made)))["data"]
    assert found["node"] == {"__typename": "Installation", "id": gid(made)}


async def test_without_the_scope_nothing_is_read_or_changed(world):
    """A read is refused at the top, a change in its payload; a node is null."""
    made = await world.installation()
    answer = await ask(world, PAGE, "people.read", first=1)
    assert answer["errors"][0]["extensions"] | {"requestId": ""} == {
        "code": "SCOPE_DENIED", "requestId": "", "required": "installations.read", "granted": ["people.read"],
    }  # fmt: skip
    assert (await ask(world, READ, "people.read", id=gid(made)))["data"] == {"installation": None, "node": None}
    change = (await ask(world, STEP % "disable", "installations.read", id=gid(made)))["data"]["disableInstallation"]
    assert change["errors"][0]["code"] == "scope_denied"
    assert (await world.graphql(PAGE, None, first=1)).status_code == 401


async def test_the_tenant_is_the_callers_own(world):
    """Its id is a node; another's is not."""
    query = "{ tenant { id slug name createdAt } }"
    own = (await ask(world, query))["data"]["tenant"]
    assert (own["id"], own["slug"]) == (to_global_id("Tenant", world.tenant), world.slug)
    node = "query ($id: ID!) { node(id: $id) { ... on Tenant { slug } } }"
    assert (await ask(world, node, id=own["id"]))["data"]["node"] == {"slug": world.slug}
    stranger = world.token("admin", tenant=(await World(world.app, world.client).open()).tenant)
    assert (await world.graphql(node, stranger, id=own["id"])).json()["data"]["node"] is None
