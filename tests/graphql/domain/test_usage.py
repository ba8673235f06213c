"""Usage through the control plane, whole and by installation."""

from graph.relay import to_global_id
from tests.graphql.domain.test_installations import ask, gid
from tests.world import World

WHOLE = """query ($since: Date, $until: Date, $installation: ID) {
  usage(since: $since, until: $until, installation: $installation) { installationId api operation day count } }"""
NESTED = "query ($first: Int!) { installations(first: $first) { nodes { id usage { operation count } } } }"


async def used(world, times: int):
    made = await world.installation()
    key = (await world.key(made["id"])).secret
    for _ in range(times):
        assert (await world.get("/people", key)).status_code == 200
    await world.runtime.usage.flush()
    return made


async def test_use_is_counted_by_installation_operation_and_day(world):
    """The last thirty days where no days are given."""
    one, other = await used(world, 3), await used(world, 1)
    rows = (await ask(world, WHOLE))["data"]["usage"]
    assert {(row["installationId"], row["count"]) for row in rows} == {(gid(one), 3), (gid(other), 1)}
    alone = (await ask(world, WHOLE, installation=gid(other)))["data"]["usage"]
    assert [row["count"] for row in alone] == [1]
    assert (await ask(world, WHOLE, since="2001-01-01", until="2001-12-31"))["data"]["usage"] == []
    refused = await ask(world, WHOLE, since="2002-01-01", until="2001-01-01")
    assert refused["errors"][0]["extensions"]["fields"][0]["field"] == "until"
    assert (await ask(world, WHOLE, until="0001-01-02"))["data"]["usage"] == []


async def test_the_use_of_a_page_is_one_statement(world):
    """Each installation has its own counts; one without any has none."""
    one = await used(world, 2)
    await world.installation()
    for first in (1, 2):
        with world.runtime.database.count_statements() as sent:
            nodes = (await ask(world, NESTED, first=first))["data"]["installations"]["nodes"]
        assert len([text for text in sent.texts if "usage_count" in text]) == 1
    assert [(node["id"] == gid(one), [row["count"] for row in node["usage"]]) for node in nodes] == [
        (True, [2]), (False, []),
    ]  # fmt: skip


async def test_another_tenants_use_is_not_there(world):
    """Nor by the id of its installation; without the scope nothing is."""
    made = await used(world, 1)
    stranger = await World(world.app, world.client).open()
    for given in ({}, {"installation": gid(made)}):
        assert (await ask(stranger, WHOLE, **given))["data"]["usage"] == []
    denied = await ask(world, WHOLE, "people.read")
    assert denied["errors"][0]["extensions"]["code"] == "SCOPE_DENIED"
    wrong = await ask(world, WHOLE, installation=to_global_id("Origin", made["id"]))
    assert wrong["errors"][0]["extensions"]["fields"][0]["field"] == "installation"
