"""Origins through the control plane: registered, proved, removed; the challenge only for who may change them."""

import pytest
from aiohttp import web

from graph.relay import to_global_id
from tests.graphql.domain.test_installations import ask, gid

REGISTER = """mutation ($input: RegisterOriginInput!) { registerOrigin(input: $input) {
  origin { id origin method verificationStatus health misses graceUntil challenge { method where value text }
           installation { id status } }
  errors { __typename code message path } } }"""
VERIFY = """mutation ($id: ID!) { verifyOrigin(id: $id) {
  origin { verificationStatus verifiedAt installation { status } }
  errors { code ... on OriginUnverified { challenge expected seen } } } }"""
REMOVE = "mutation ($id: ID!) { removeOrigin(id: $id) { origin { origin installation { status } } errors { code } } }"
SHOW = """query ($id: ID!) { installation(id: $id) { origins { id origin challenge { value } } } }"""


@pytest.fixture
async def site():
    """A site on this machine whose well-known file holds what `site.token` says."""

    class Site:
        token = "nothing yet"

    async def answer(request):
        return web.Response(text=Site.token)

    app = web.Application()
    app.router.add_get("/.well-known/dovetail-verification.txt", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    server = web.TCPSite(runner, "127.0.0.1", 0)
    await server.start()
    Site.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield Site
    await runner.cleanup()


async def registered(world, installation, origin, **more):
    given = {"installation": gid(installation), "origin": origin, **more}
    return (await ask(world, REGISTER, input=given))["data"]["registerOrigin"]


async def test_an_origin_is_registered_proved_and_removed(world, site):
    """The challenge says what to publish; the installation follows its origins."""
    made = await world.installation(verified=False)
    origin = (await registered(world, made, site.origin))["origin"]
    assert (origin["verificationStatus"], origin["health"], origin["installation"]["status"]) == (
        "PENDING", "OK", "PENDING_VERIFICATION",
    )  # fmt: skip
    assert origin["challenge"]["method"] == "WELL_KNOWN_FILE"
    missing = (await ask(world, VERIFY, id=origin["id"]))["data"]["verifyOrigin"]
    assert (missing["origin"], missing["errors"][0]["code"]) == (None, "origin_unverified")
    assert missing["errors"][0]["seen"] == "nothing yet"
    assert missing["errors"][0]["challenge"]["value"] == origin["challenge"]["value"]
    site.token = origin["challenge"]["value"]
    verified = (await ask(world, VERIFY, id=origin["id"]))["data"]["verifyOrigin"]
    assert verified["errors"] == []
    assert (verified["origin"]["verificationStatus"], verified["origin"]["installation"]["status"]) == (
        "VERIFIED", "ACTIVE",
    )  # fmt: skip
    removed = (await ask(world, REMOVE, id=origin["id"]))["data"]["removeOrigin"]
    assert removed["origin"]["installation"]["status"] == "PENDING_VERIFICATION"
    assert (await ask(world, REMOVE, id=origin["id"]))["data"]["removeOrigin"]["errors"][0]["code"] == "not_found"


@pytest.mark.parametrize("method", ["DNS_TXT", "META_TAG", "CALLBACK"])
async def test_each_method_says_what_to_publish(world, method):
    """As a name or an address, a value and a sentence."""
    made = await world.installation(verified=False)
    more = {"callbackPath": "/dovetail"} if method == "CALLBACK" else {}
    origin = (await registered(world, made, "https://example.org", method=method, **more))["origin"]
    challenge = origin["challenge"]
    assert challenge["method"] == method
    assert "example.org" in challenge["where"]
    assert challenge["value"]
    assert challenge["text"]


async def test_the_challenge_is_for_who_may_change_origins(world):
    """Readers see the origin and null in the place of its challenge, on every way to it."""
    made = await world.installation()
    seen = (await ask(world, SHOW, "installations.read", id=gid(made)))["data"]["installation"]["origins"]
    assert [one["challenge"] for one in seen] == [None]
    node = "query ($id: ID!) { node(id: $id) { ... on Origin { origin challenge { value } } } }"
    by_id = await ask(world, node, "installations.read", id=seen[0]["id"])
    assert by_id["data"]["node"] == {"origin": seen[0]["origin"], "challenge": None}
    shown = (await ask(world, SHOW, id=gid(made)))["data"]["installation"]["origins"]
    assert len(shown[0]["challenge"]["value"]) == 40


async def test_what_is_not_an_origin_or_not_open_is_refused(world):
    """As data, with the input that is at fault."""
    made = await world.installation()
    wrong = (await registered(world, made, "https://user:pw@example.org"))["errors"][0]
    assert (wrong["__typename"], wrong["path"]) == ("ValidationError", ["origin"])
    assert (await registered(world, made, "https://a.example.org"))["errors"] == []
    assert (await registered(world, made, "https://A.example.org/"))["errors"][0]["__typename"] == "Conflict"
    credential = {"installation": to_global_id("Credential", made["id"]), "origin": "https://b.example.org"}
    other = (await ask(world, REGISTER, input=credential))["data"]["registerOrigin"]["errors"][0]
    assert other["path"] == ["installation"]
    await ask(world, "mutation ($id: ID!) { revokeInstallation(id: $id) { errors { code } } }", id=gid(made))
    closed = (await registered(world, made, "https://c.example.org"))["errors"][0]
    assert closed["code"] == "invalid_transition"


async def test_another_tenants_origin_is_not_there(world):
    """By node and by every change."""
    from tests.world import World

    made = await world.installation()
    origin = (await ask(world, SHOW, id=gid(made)))["data"]["installation"]["origins"][0]
    stranger = await World(world.app, world.client).open()
    for query in (VERIFY, REMOVE):
        answer = (await ask(stranger, query, id=origin["id"]))["data"]
        assert next(iter(answer.values()))["errors"][0]["code"] == "not_found"
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await ask(stranger, node, id=origin["id"]))["data"]["node"] is None
