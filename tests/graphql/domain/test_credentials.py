"""Credentials through the control plane: the secret in one answer, a digest in none."""

import re

import pytest

from app.auth.credentials import legacy_digest
from graph.relay import to_global_id
from tests.graphql.domain.test_installations import ask, gid
from tests.world import World

ISSUE = """mutation ($input: IssueCredentialInput!) { issueCredential(input: $input) {
  secret credential { id kid label mode scopes status expiresAt imported installation { id } }
  errors { __typename code message path } } }"""
ROTATE = """mutation ($id: ID!, $grace: Int!) { rotateCredential(id: $id, graceSeconds: $grace) {
  secret credential { id kid scopes } errors { code path } } }"""
REVOKE = """mutation ($id: ID!) { revokeCredential(id: $id) {
  credential { status revokedAt } errors { __typename code } } }"""
IMPORT = """mutation ($input: ImportCredentialInput!) { importCredential(input: $input) {
  credential { id imported scopes } errors { code path } } }"""
LIST = """query ($id: ID!) { installation(id: $id) { credentials {
  id kid label mode scopes status createdAt lastUsedAt expiresAt rotatedAt replacedBy { id kid } } } }"""
KEY = re.compile(r"dvt_(?:live|test)_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}")


async def issued(world, installation, **more):
    given = {"installation": gid(installation), "label": "main", "scopes": ["people.read"], **more}
    return (await ask(world, ISSUE, input=given))["data"]["issueCredential"]


async def listed(world, installation):
    return (await ask(world, LIST, id=gid(installation)))["data"]["installation"]["credentials"]


async def test_a_key_is_shown_once_and_opens_the_contract(world):
    """The secret works on the REST surface; no later answer holds it."""
    made = await world.installation()
    answer = await issued(world, made, mode="TEST", expiresAt="2099-01-01T00:00:00.000Z")
    assert KEY.fullmatch(answer["secret"])
    assert answer["credential"] | {"id": ""} == {
        "id": "", "kid": answer["secret"].split("_")[2], "label": "main", "mode": "TEST", "scopes": ["people.read"],
        "status": "ACTIVE", "expiresAt": "2099-01-01T00:00:00.000Z", "imported": False,
        "installation": {"id": gid(made)},
    }  # fmt: skip
    assert (await world.get("/people", answer["secret"])).status_code == 200
    await world.runtime.sealer.seal_all()
    history = "{ auditEvents(first: 50) { nodes { action before after seen expected } } }"
    for text in (str(await listed(world, made)), str(await ask(world, history))):
        assert answer["secret"] not in text
        assert answer["secret"].split("_")[3] not in text


async def test_nothing_of_a_key_but_its_public_part_is_in_the_schema(world):
    """Neither digest nor pepper has a field."""
    query = '{ __type(name: "Credential") { fields { name } } }'
    names = {field["name"] for field in (await ask(world, query))["data"]["__type"]["fields"]}
    assert names.isdisjoint({"digest", "hashAlg", "pepperId", "pepper", "secret", "tenant"})


async def test_a_rotated_key_names_its_successor(world):
    """The old key works on for the grace; a second rotation of it is refused."""
    made = await world.installation()
    old = await issued(world, made)
    new = (await ask(world, ROTATE, id=old["credential"]["id"], grace=60))["data"]["rotateCredential"]
    assert KEY.fullmatch(new["secret"])
    before, after = await listed(world, made)
    assert before["replacedBy"] == {"id": new["credential"]["id"], "kid": new["credential"]["kid"]}
    assert before["rotatedAt"]
    assert before["expiresAt"]
    assert after["replacedBy"] is None
    for key in (old["secret"], new["secret"]):
        assert (await world.get("/people", key)).status_code == 200
    again = (await ask(world, ROTATE, id=old["credential"]["id"], grace=60))["data"]["rotateCredential"]
    assert (again["secret"], again["credential"], again["errors"][0]["code"]) == (None, None, "invalid_transition")
    long = (await ask(world, ROTATE, id=new["credential"]["id"], grace=10**9))["data"]["rotateCredential"]
    assert long["errors"] == [{"code": "validation_failed", "path": ["graceSeconds"]}]


async def test_a_revoked_key_opens_nothing(world):
    """At once, and it cannot be revoked again."""
    made = await world.installation()
    key = await issued(world, made)
    gone = (await ask(world, REVOKE, id=key["credential"]["id"]))["data"]["revokeCredential"]
    assert gone["credential"]["status"] == "REVOKED"
    assert gone["credential"]["revokedAt"]
    assert (await world.get("/people", key["secret"])).status_code == 403
    again = (await ask(world, REVOKE, id=key["credential"]["id"]))["data"]["revokeCredential"]
    assert again["errors"] == [{"__typename": "Conflict", "code": "invalid_transition"}]


async def test_a_legacy_key_is_taken_over_by_its_digest(world):
    """Once; the digest is in no answer."""
    made = await world.installation()
    digest = legacy_digest(f"legacy-{world.tenant}")
    given = {"installation": gid(made), "label": "old", "digest": digest, "scopes": ["people.read"]}
    taken = (await ask(world, IMPORT, input=given))["data"]["importCredential"]
    assert taken["credential"]["imported"] is True
    assert digest not in str(await listed(world, made))
    assert (await ask(world, IMPORT, input=given))["data"]["importCredential"]["errors"][0]["code"] == "conflict"
    short = (await ask(world, IMPORT, input=given | {"digest": "abc"}))["data"]["importCredential"]
    assert short["errors"][0]["path"] == ["digest"]


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"scopes": ["people.write"]}, "unknown_scope", []),
        ({"scopes": []}, "unknown_scope", []),
        ({"label": ""}, "validation_failed", ["label"]),
        ({"expiresAt": "2001-01-01T00:00:00Z"}, "validation_failed", ["expiresAt"]),
    ],
)
async def test_a_key_that_cannot_be_issued_says_why(world, given, code, path):
    """And there is no secret."""
    answer = await issued(world, await world.installation(), **given)
    assert (answer["secret"], answer["credential"]) == (None, None)
    assert (answer["errors"][0]["code"], answer["errors"][0]["path"]) == (code, path)


async def test_keys_are_issued_by_who_may_and_where_it_is_open(world):
    """installations.write is not enough; a revoked installation takes none; another tenant's is not there."""
    made = await world.installation()
    given = {"installation": gid(made), "label": "main", "scopes": ["people.read"]}
    denied = (await ask(world, ISSUE, "installations.write", input=given))["data"]["issueCredential"]
    assert (denied["secret"], denied["errors"][0]["__typename"]) == (None, "ScopeDenied")
    key = await issued(world, made)
    stranger = await World(world.app, world.client).open()
    assert (await issued(stranger, made))["errors"][0]["code"] == "not_found"
    for query, more in ((REVOKE, {}), (ROTATE, {"grace": 0})):
        answer = (await ask(stranger, query, id=key["credential"]["id"], **more))["data"]
        assert next(iter(answer.values()))["errors"][0]["code"] == "not_found"
    node = "query ($id: ID!) { node(id: $id) { ... on Credential { kid } } }"
    assert (await ask(world, node, id=key["credential"]["id"]))["data"]["node"]["kid"] == key["credential"]["kid"]
    assert (await ask(stranger, node, id=key["credential"]["id"]))["data"]["node"] is None
    await ask(world, "mutation ($id: ID!) { revokeInstallation(id: $id) { errors { code } } }", id=gid(made))
    assert (await issued(world, made))["errors"][0]["code"] == "invalid_transition"
    wrong = to_global_id("Origin", made["id"])
    answer = (await ask(world, ISSUE, input=given | {"installation": wrong}))["data"]["issueCredential"]
    assert answer["errors"][0]["path"] == ["installation"]
