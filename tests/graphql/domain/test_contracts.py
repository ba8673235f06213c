"""Use of versions and impact of changes through the control plane."""

import copy
import json

import pytest

from rest.contracts.documents import snapshot
from tests.graphql.domain.test_installations import ask
from tests.graphql.domain.test_usage import used
from tests.world import World

IMPACT = """query ($base: ContractSource, $revision: ContractSource, $days: Int! = 30, $all: Boolean! = false) {
  contractImpact(api: "integrations", base: $base, revision: $revision, days: $days, allTenants: $all) {
    safe api version window { since until missing }
    impacts { rule operation where state reason fingerprint callers { client kind name requests lastOn } } } }"""
USE = """query ($api: String!, $all: Boolean! = false) { versionUsage(api: $api, allTenants: $all) {
  api versions { version requests callers lastOn operations { name requests callers lastOn } } } }"""

ADMIN = ("tenants.admin", "installations.read")


def without(path: str) -> str:
    found = copy.deepcopy(json.loads(snapshot("integrations", "v1")))
    del found["paths"][path]
    return json.dumps(found)


async def test_the_impact_of_a_text(world):
    """A committed version against a text: who used the operation that goes."""
    made = await used(world, 2)
    answer = await ask(world, IMPACT, base={"version": "v1"}, revision={"text": without("/people")})
    report = answer["data"]["contractImpact"]
    assert (report["safe"], report["api"], report["version"]) == (False, "integrations", "v1")
    [impact] = report["impacts"]
    assert (impact["rule"], impact["state"]) == ("operation-removed", "USED")
    [caller] = impact["callers"]
    assert caller == {
        "client": str(made["id"]), "kind": "installation", "name": "A site", "requests": 2,
        "lastOn": report["window"]["until"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"revision": {}}, "revision"),
        ({"revision": {"version": "v1", "text": "{}"}}, "revision"),
        ({"revision": {"version": "v99"}}, "revision.version"),
        ({"revision": {"text": "no JSON"}}, "revision.text"),
        ({"revision": {"text": "[" * 100_000}}, "revision.text"),
        ({"revision": {"text": "{}"}}, "revision.text"),
        ({"revision": {"text": " " * 500_001}}, "revision.text"),
        ({"revision": {"version": "v1"}, "days": 0}, "days"),
        ({"base": {"version": "v99"}}, "revision"),
    ],
)
async def test_what_cannot_be_compared_is_refused(given, field, world):
    """By the name of the input that is wrong."""
    [error] = (await ask(world, IMPACT, **given))["errors"]
    assert error["extensions"]["code"] == "VALIDATION_FAILED"
    assert error["extensions"]["fields"][0]["field"] == field


async def test_the_use_of_versions(world):
    """Of the caller's tenant; over all with the scope for it alone; without any scope nothing."""
    await used(world, 3)
    report = (await ask(world, USE, api="integrations"))["data"]["versionUsage"]
    v1 = next(version for version in report["versions"] if version["version"] == "v1")
    assert (v1["requests"], v1["callers"]) == (3, 1)
    assert [(each["name"], each["requests"]) for each in v1["operations"]] == [("list_people", 3)]
    stranger = await World(world.app, world.client).open()
    none = (await ask(stranger, USE, api="integrations"))["data"]["versionUsage"]["versions"]
    assert {(version["requests"], version["lastOn"]) for version in none} == {(0, None)}
    everywhere = (await ask(stranger, USE, *ADMIN, api="integrations", all=True))["data"]["versionUsage"]["versions"]
    assert sum(version["requests"] for version in everywhere) >= 3
    for permissions, code in (("installations.read", "SCOPE_DENIED"), ("people.read", "SCOPE_DENIED")):
        answer = await ask(world, USE, permissions, api="integrations", all=True)
        assert answer["errors"][0]["extensions"]["code"] == code
