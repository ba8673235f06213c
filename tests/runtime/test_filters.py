"""`filter`, `sort` and pages of the platform's lists over HTTP, and the same filter as `where` on GraphQL."""

from __future__ import annotations

import asyncio
import json
import shlex
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import httpx
import pytest

from app.ids import new_id
from graph.documents import Documents
from graph.manifest import load_manifest
from graph.relay import to_global_id
from graph.schema import build_schema, core
from models.integrations import IntegrationExecution, IntegrationInstance
from tests.docs.pages import DOCS, blocks
from tests.runtime.platform import DEFINITIONS, INSTANCES, SECRETS, Platform
from tests.world import World

pytestmark = pytest.mark.runtime
TYPES, INTEGRATIONS = "/integration-types", "/integrations"


def filtered(path: str, expression: Any, **more: Any) -> str:
    text = expression if isinstance(expression, str) else json.dumps(expression)
    given = "".join(f"&{name}={quote(str(value))}" for name, value in more.items())
    return f"{path}?filter={quote(text)}{given}"


async def three(world: World) -> tuple[Platform, list[dict[str, Any]]]:
    """Two forges, one of them connected, and a disabled registry."""
    platform = Platform(world)
    forge = (await platform.definition())["id"]
    other = await platform.definition(name="Store", category="registry", authType="none")
    made = [
        await platform.instance(forge, name="Alpha", credentials=SECRETS),
        await platform.instance(forge, name="alpha%"),
        await platform.instance(other["id"], name="Élan", enabled=False),
    ]
    return platform, made


async def names(platform: Platform, path: str) -> list[str]:
    return [row["name"] for row in (await platform.ok("GET", path))["data"]]


async def test_integrations_are_found(world: World) -> None:
    platform, made = await three(world)
    store = made[2]["integrationDefinitionId"]
    cases: list[tuple[Any, list[str]]] = [
        ({"name": "Alpha"}, ["Alpha"]),
        ({"name": {"like": "%lpha%"}}, ["Alpha", "alpha%"]),
        ({"name": {"like": "%\\%"}}, ["alpha%"]),
        ({"name": {"like": "É_an"}}, ["Élan"]),
        ({"type": "Store"}, ["Élan"]),
        ({"category": {"in": ["registry", "vault"]}}, ["Élan"]),
        ({"integrationTypeId": {"ne": store}}, ["Alpha", "alpha%"]),
        ({"enabled": False}, ["Élan"]),
        ({"status": "PENDING_AUTHENTICATION"}, ["alpha%"]),
        ({"lastHealthCheck": None, "healthStatus": "unknown", "error": None}, ["Alpha", "alpha%", "Élan"]),
        ({"lastHealthCheck": {"ne": None}}, []),
        ({"createdAt": {"gte": made[0]["createdAt"], "lt": "2999-01-01T00:00:00Z"}}, ["Alpha", "alpha%", "Élan"]),
        ({"or": [{"enabled": False}, {"and": [{"type": "Forge"}, {"status": "CONNECTED"}]}]}, ["Alpha", "Élan"]),
        ({}, ["Alpha", "alpha%", "Élan"]),
    ]  # fmt: skip
    for expression, found in cases:
        page = await platform.ok("GET", filtered(INTEGRATIONS, expression, sort="createdAt"))
        assert [row["name"] for row in page["data"]] == found, expression
        assert page["meta"]["pagination"]["totalItems"] == len(found)
    assert await names(platform, filtered(INTEGRATIONS, {"enabled": True}, search="ALPHA", healthStatus="unknown")) == [
        "Alpha", "alpha%",
    ]  # fmt: skip


async def test_types_and_executions_are_found(world: World) -> None:
    platform, made = await three(world)
    asked = {"isBuiltin": False, "name": {"in": ["Forge", "Store"]}, "authType": {"ne": "none"}}
    assert await names(platform, filtered(TYPES, asked)) == ["Forge"]
    assert await names(platform, filtered(TYPES, {"isBuiltin": False, "version": {"like": "1.%"}}, sort="-name")) == [
        "Store", "Forge",
    ]  # fmt: skip
    await platform.definition(name="Draft", publish=False)
    assert await names(platform, filtered(TYPES, {"name": "Draft"})) == []
    await executions(world, made[0]["id"])
    path = f"{INSTANCES}/{made[0]['id']}/executions"
    for expression, latencies in (
        ({"latencyMs": {"gt": 10, "lte": 30}}, [30, 20]),
        ({"statusCode": None}, [30]),
        ({"statusCode": {"ne": 200}, "outcome": {"ne": "success"}}, [40, 30]),
        ({"code": {"like": "integration\\_%"}}, [40, 30]),
        ({"at": {"lt": "1970-01-01T00:00:00.003+00:00"}}, [20, 10]),
    ):
        found = await platform.ok("GET", filtered(path, expression))
        assert [row["latencyMs"] for row in found["items"]] == latencies, expression
        assert found["pagination"]["total"] == len(latencies)
    error = await platform.refused(400, "VALIDATION_ERROR", "GET", filtered(path, {"latencyMs": "10"}))
    assert error["details"][0]["path"] == "filter.latencyMs"


async def executions(world: World, instance: str) -> None:
    rows = [
        {"id": new_id(), "instance": instance, "method": "getRepository", "side_effect": "read", "outcome": outcome,
         "code": code, "error": None, "host": "a.example", "status_code": status, "latency_ms": number * 10,
         "attempts": 1, "request_id": "r", "actor_kind": "user", "actor_id": "ada", "surface": "rest", "at": number}
        for number, (outcome, code, status) in enumerate(
            [("success", None, 200), ("success", None, 200), ("failed", "integration_timeout", None),
             ("failed", "integration_error", 500)], start=1)
    ]  # fmt: skip
    await IntegrationExecution.of(world.tenant).insert(*rows)


async def test_another_tenant_is_never_found(world: World) -> None:
    """No expression reaches beyond the tenant, whose condition stands before it."""
    await three(world)
    stranger = Platform(await World(world.app, world.client).open())
    wide = {"or": [{"enabled": True}, {"enabled": False}, {"name": {"ne": "x"}}]}
    assert (await stranger.ok("GET", filtered(INTEGRATIONS, wide)))["meta"]["pagination"]["totalItems"] == 0
    assert await names(stranger, filtered(TYPES, {"or": [{"isBuiltin": False}, {"name": "Forge"}]})) == []


async def test_a_wrong_filter_is_told_with_its_place(world: World) -> None:
    platform = Platform(world)
    asked = filtered(INTEGRATIONS, {"and": [{"enabled": True}, {"name": 1}, {"config": "x"}]})
    error = await platform.refused(400, "VAL_FAILED", "GET", asked)
    assert [(fault["field"], fault["code"]) for fault in error["validationErrors"]] == [
        ("filter.and[1].name", "VAL_TYPE"), ("filter.and[2].config", "VAL_UNKNOWN_FIELD"),
    ]  # fmt: skip
    for text in ("{", "[" * 8_000, "{" * 10_240, '{"name":"\\u0000"}', '{"name":NaN}', '{"name":"a","name":"b"}', "%00",
                 '{"\\ud800":1}', '{"version":9223372036854775808}'):  # fmt: skip
        error = await platform.refused(400, "VAL_FAILED", "GET", filtered(INTEGRATIONS, text))
        assert error["validationErrors"][0]["field"].startswith("filter"), text
    # Bytes that are no UTF-8 are text with replacement characters by then, which is no JSON.
    await platform.refused(400, "VAL_FAILED", "GET", f"{INTEGRATIONS}?filter=%ff%fe")


@pytest.mark.parametrize(
    ("path", "size", "code"), [(INTEGRATIONS, "pageSize", "VAL_FAILED"), (DEFINITIONS, "limit", "VALIDATION_ERROR")]
)
async def test_pages_are_integers_in_one_form(world: World, path: str, size: str, code: str) -> None:
    platform = Platform(world)
    for text in ("1.0", "1e3", "1.", "0x1", "１", "+1", "1_0", "", " 1", "true", "0", "-1", "9" * 30):
        for name in ("page", size):
            error = await platform.refused(400, code, "GET", f"{path}?{name}={quote(text)}")
            faults = error.get("validationErrors") or error["details"]
            assert next(iter(faults[0].values())) == name, (name, text)
    await platform.refused(400, code, "GET", f"{path}?{size}=101")
    # A caller without the scope does not learn what is wrong with the query.
    nobody = Platform(world, permissions=["people.read"])
    nobody._token = world.token(permissions=["people.read"])
    assert (await nobody.get(f"{path}?page=1.0")).status_code == 403
    assert await platform.ok("GET", f"{path}?page=1&{size}=100")


async def test_sorts_are_allow_listed_and_total(world: World) -> None:
    """The id breaks ties, so that no row stands on two pages; each field is named once."""
    platform = Platform(world)
    definition = (await platform.definition())["id"]
    await asyncio.gather(*(platform.instance(definition, name=f"I{number}") for number in range(7)))
    for sort in ("healthStatus", "-healthStatus", "type,-healthStatus", "lastHealthCheck,type"):
        seen = [
            row["id"]
            for page in (1, 2, 3)
            for row in (await platform.ok("GET", f"{INTEGRATIONS}?sort={sort}&pageSize=3&page={page}"))["data"]
        ]
        assert len(seen) == len(set(seen)) == 7, sort
    assert await names(platform, f"{INTEGRATIONS}?sort=-name") == [f"I{number}" for number in reversed(range(7))]
    for sort in ("", "name,", "--name", "name,name", "-name,name", "config", "created_at", "name;type", "name desc"):
        error = await platform.refused(400, "VAL_FAILED", "GET", f"{INTEGRATIONS}?sort={quote(sort)}")
        assert error["validationErrors"][0]["field"] == "sort"


# --- as it is written down -----------------------------------------------------------------------------


async def test_the_documented_examples_run(world: World) -> None:
    """The curl line, the expression and the document of the pages, and the examples of the OpenAPI document."""
    platform, made = await three(world)
    [line] = [block.body for block in blocks(DOCS / "surfaces" / "integrations.md") if "--data-urlencode" in block.body]
    words = shlex.split(line.replace("\\\n", " "))
    given = dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "--data-urlencode")
    assert await names(platform, f"{INTEGRATIONS}?{urlencode(given)}") == ["Alpha", "alpha%"]
    page = list(blocks(DOCS / "surfaces" / "filters.md"))
    assert await names(platform, filtered(INTEGRATIONS, page[0].body)) == []
    told = (await graphql(world, next(block.body for block in page if block.language == "graphql"))).json()
    assert [node["name"] for node in told["data"]["integrationInstances"]["nodes"]] == ["Alpha", "alpha%"]
    document = (await world.client.get("/api/v1/openapi.json")).json()
    run = f"{INSTANCES}/{made[0]['id']}/executions"
    for path, described in ((INTEGRATIONS, INTEGRATIONS), (TYPES, TYPES), (run, f"{INSTANCES}/{{id}}/executions")):
        said = document["paths"][described]["get"]["parameters"]
        [parameter] = [one for one in said if one["name"] == "filter"]
        assert len(parameter["examples"]) == 3
        for example in parameter["examples"].values():
            await platform.ok("GET", filtered(path, example["value"]))


async def test_the_saved_operation_runs(world: World) -> None:
    await three(world)
    listing = json.loads(load_manifest(Documents(core(build_schema()))).listing)
    [saved] = [one for one in listing if one["name"] == "FindIntegrations"]
    body = {"documentId": saved["documentId"], "variables": saved["variables"]}
    headers = {"Authorization": f"Bearer {world.token('admin')}"}
    told = (await world.client.post("/graphql", json=body, headers=headers)).json()["data"]["integrationInstances"]
    assert [node["name"] for node in told["nodes"]] == ["alpha%", "Alpha"]


# --- the control plane ----------------------------------------------------------------------------------

QUERY = """query ($where: IntegrationInstanceWhere) {
  integrationInstances(first: 10, where: $where, sort: CREATED_AT) { totalCount nodes { name } } }"""


async def graphql(world: World, query: str, **variables: Any) -> httpx.Response:
    return await world.graphql(query, world.token("admin"), **variables)


async def test_where_is_the_same_filter(world: World) -> None:
    _, made = await three(world)
    store = to_global_id("IntegrationDefinition", made[2]["integrationDefinitionId"])
    cases: list[tuple[Any, list[str]]] = [
        ({"name": {"eq": "Alpha"}}, ["Alpha"]),
        ({"name": {"like": "%lpha%"}, "status": {"ne": "CONNECTED"}}, ["alpha%"]),
        ({"definition": {"in": [store]}}, ["Élan"]),
        ({"or": [{"enabled": {"eq": False}}, {"status": {"in": ["CONNECTED"]}}]}, ["Alpha", "Élan"]),
        ({"and": [{"category": {"eq": "SCM"}}, {"healthCheckedAt": {"eq": None}}]}, ["Alpha", "alpha%"]),
        ({"healthCheckedAt": {"ne": None}}, []),
        ({"createdAt": {"gte": made[0]["createdAt"]}, "type": {"eq": "Store"}}, ["Élan"]),
        ({}, ["Alpha", "alpha%", "Élan"]),
        (None, ["Alpha", "alpha%", "Élan"]),
    ]
    for expression, found in cases:
        told = (await graphql(world, QUERY, where=expression)).json()["data"]["integrationInstances"]
        assert [node["name"] for node in told["nodes"]] == found, expression
        assert told["totalCount"] == len(found)


async def test_where_walks_pages(world: World) -> None:
    """The cursor of a page leads on within the same filter."""
    await three(world)
    query = """query ($after: String) { integrationInstances(first: 1, after: $after, sort: CREATED_AT,
      where: {name: {like: "%lpha%"}}) { nodes { name } pageInfo { hasNextPage endCursor } } }"""
    first = (await graphql(world, query)).json()["data"]["integrationInstances"]
    after = first["pageInfo"]["endCursor"]
    second = (await graphql(world, query, after=after)).json()["data"]["integrationInstances"]
    assert [first["nodes"][0]["name"], second["nodes"][0]["name"]] == ["Alpha", "alpha%"]
    assert first["pageInfo"]["hasNextPage"] and not second["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize("sort", ["NAME", "TYPE", "HEALTH_STATUS", "HEALTH_CHECKED_AT", "CREATED_AT", "UPDATED_AT"])
async def test_every_sort_walks_all_rows(world: World, sort: str) -> None:
    """Page by page, forward and back, each row once, also where all are the same to the sort."""
    await three(world)
    query = """query ($after: String, $before: String, $first: Int, $last: Int, $sort: IntegrationInstanceSort!) {
      integrationInstances(first: $first, last: $last, after: $after, before: $before, sort: $sort) {
        edges { cursor node { name } } } }"""

    async def walked(size: str, place: str) -> list[str]:
        seen: list[str] = []
        cursor = None
        for _ in range(4):
            given = {"sort": sort, size: 1, **({place: cursor} if cursor else {})}
            edges = (await graphql(world, query, **given)).json()["data"]["integrationInstances"]["edges"]
            if not edges:
                break
            seen.append(edges[0]["node"]["name"])
            cursor = edges[0]["cursor"]
        return seen

    forward = await walked("first", "after")
    assert sorted(forward) == ["Alpha", "alpha%", "Élan"]
    assert await walked("last", "before") == forward[::-1]


async def test_wheres_of_definitions_and_executions(world: World) -> None:
    _, made = await three(world)
    await executions(world, made[0]["id"])
    query = """{ integrationExecutions(first: 5, where: {latencyMs: {gte: 20}, statusCode: {ne: 200}, outcome:
      {ne: SUCCESS}}) { nodes { latencyMs } } integrationDefinitions(first: 5, where: {builtIn: {eq: false},
      or: [{type: {eq: GRAPHQL}}, {version: {like: "1.0._"}}], publishedAt: {ne: null}}) { nodes { name } } }"""
    told = (await graphql(world, query)).json()["data"]
    assert [node["latencyMs"] for node in told["integrationExecutions"]["nodes"]] == [40, 30]
    assert [node["name"] for node in told["integrationDefinitions"]["nodes"]] == ["Forge", "Store"]


@pytest.mark.parametrize(("ms", "text"), [(253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
                                          (8_600_000_000_001, "2242-07-11T00:53:20.001Z")])  # fmt: skip
async def test_instants_far_away_are_exact(world: World, ms: int, text: str) -> None:
    """What is shown finds its row again; what is finer than a millisecond is left away, also in the last one."""
    _, made = await three(world)
    table: Any = IntegrationInstance
    await table.of(world.tenant).update({"last_used_at": ms}).where(table.id == UUID(made[0]["id"]))
    query = """query ($at: DateTime!) { integrationInstances(first: 5, where: {lastUsedAt: {eq: $at}}) {
      nodes { id lastUsedAt } } }"""
    for asked in (text, text.replace("Z", "9Z")):
        [node] = (await graphql(world, query, at=asked)).json()["data"]["integrationInstances"]["nodes"]
        assert node["lastUsedAt"] == text


async def test_a_wrong_where_is_told_with_its_place(world: World) -> None:
    deep: Any = {"name": {"eq": "a"}}
    for _ in range(4):
        deep = {"or": [deep]}
    for expression, place in (
        ({"and": [{"name": {"like": "\\"}}]}, "where.and[0].name.like"),
        ({"name": {"eq": None}}, "where.name.eq"),
        ({"name": {}}, "where.name"),
        ({"name": None}, "where.name"),
        ({"or": []}, "where.or"),
        ({"name": {"in": []}}, "where.name.in"),
        (deep, "where.or[0].or[0].or[0].or"),
    ):
        [error] = (await graphql(world, QUERY, where=expression)).json()["errors"]
        assert error["extensions"]["code"] == "VALIDATION_FAILED" and place in error["message"], error
    answer = await graphql(world, QUERY, where={"definition": {"eq": "nonsense"}})
    assert "where.definition.eq" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("levels", [40, 600, 20_000])
async def test_a_where_that_nests_without_end_is_refused(world: World, levels: int) -> None:
    """In variables and in the document: a refusal and no fault of the server."""
    nested = '{"or":[' * levels + '{"name":{"eq":"a"}}' + "]}" * levels
    body = json.dumps({"query": QUERY, "variables": {"where": "@"}}).replace('"@"', nested)
    headers = {"Authorization": f"Bearer {world.token('admin')}", "Content-Type": "application/json"}
    answer = await world.client.post("/graphql", content=body, headers=headers)
    literal = "{or: [" * levels + '{name: {eq: "a"}}' + "]}" * levels
    inline = await graphql(world, "{ integrationInstances(first: 1, where: %s) { nodes { id } } }" % literal)  # noqa: UP031
    for each in (answer, inline):
        assert each.status_code in (200, 400), each.text[:300]
        code = each.json()["errors"][0]["extensions"]["code"]
        assert code in ("VALIDATION_FAILED", "QUERY_TOO_COMPLEX", "MALFORMED_BODY", "QUERY_REFUSED"), each.text[:300]


async def test_a_wrong_parameter_is_told_by_its_name(world: World) -> None:
    """By the name that was sent, with its rule, whatever a route's code calls it."""
    platform = Platform(world)
    for path, name, rule in (
        (f"{INTEGRATIONS}?pageSize=101", "pageSize", "between 1 and 100"),
        (f"{INTEGRATIONS}?healthStatus=good", "healthStatus", "must be one of healthy"),
        (f"{INTEGRATIONS}?enabled=maybe", "enabled", "must be true or false"),
        (f"{TYPES}?category=x", "category", "must be one of"),
    ):
        [fault] = (await platform.refused(400, "VAL_FAILED", "GET", path))["validationErrors"]
        assert fault["field"] == name and rule in fault["message"]
    error = await platform.refused(400, "VALIDATION_ERROR", "GET", f"{DEFINITIONS}?type=x")
    assert error["details"] == [{"path": "type", "message": "must be one of the types that this list documents"}]
