"""The built-in definitions against what their vendors answer: recorded, or written after the vendors' references.

Each exchange goes through execute, over HTTP, to a server that takes no request but the one that the vendor would.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec import UNSET

from app.ids import new_id
from services.integrations.connectors.files import built_in_definitions
from services.integrations.definitions.schemas import compile_schema, schema_faults
from tests.architecture.connectors_table import notes
from tests.runtime.exchanges import NOTICE, Exchange, Given, Vendor, exchanges_of, notice, vendor
from tests.runtime.platform import DEFINITIONS, INSTANCES, Platform
from tests.runtime.real_servers import TYPES
from tests.world import World

pytestmark = pytest.mark.runtime
BUILT_IN = {definition.name: definition for definition in built_in_definitions()}
#: The tests of these call a real server.
REAL = {"registry.oci": "test_registry.py", "metrics.prometheus": "test_prometheus.py"}


class Connection(NamedTuple):
    """How an instance is connected: the path of the vendor's base URL, and the headers that its calls must have."""

    prefix: str = ""
    credentials: dict[str, str] | None = None
    headers: dict[str, str] = {}
    config: dict[str, str] = {}


CLIENT = {"clientId": "APP-1", "clientSecret": "the-secret-of-the-client"}
CONNECTIONS = {
    "generic.http": Connection("/api"),
    "notification.slack": Connection("/api", {"token": "xoxb-the-token"}, {"Authorization": "Bearer xoxb-the-token"}),
    "notification.webhook": Connection("", None, {}, {"path": "hooks/releases"}),
    "research.orcid": Connection("/v3.0", CLIENT, {"Authorization": "Bearer the-token-of-the-client"}),
    "scm.gitea": Connection("/api/v1", {"apiKey": "the-key-of-gitea"}, {"Authorization": "token the-key-of-gitea"}),
    "scm.github": Connection("", {"token": "ghp_the-token"}, {"Authorization": "Bearer ghp_the-token"}),
    "scm.gitlab": Connection("/api/v4", {"apiKey": "glpat-the-token"}, {"PRIVATE-TOKEN": "glpat-the-token"}),
    "vault.hashicorp": Connection(
        "", {"apiKey": "hvs.the-token"}, {"X-Vault-Token": "hvs.the-token"}, {"mount": "kv/team", "namespace": "team"}
    ),
}  # fmt: skip


async def local(platform: Platform, name: str, far: Vendor, prefix: str) -> dict[str, Any]:
    """The built-in definition as one of the tenant's own, with the vendor's addresses in place of the real ones."""
    source: dict[str, Any] = msgspec.to_builtins(BUILT_IN[name])
    source |= {"name": f"{name} {new_id()}", "baseUrl": far.base + prefix, "allowedHosts": ["127.0.0.1"]}
    made: dict[str, Any] = await platform.ok("POST", DEFINITIONS, source, 201)
    await platform.ok("POST", f"{DEFINITIONS}/{made['id']}/publish")
    return made


async def connected(platform: Platform, definition: dict[str, Any], connection: Connection, far: Vendor) -> str:
    config: dict[str, str] = dict(connection.config)
    if definition["authType"] == "client_credentials":
        config["tokenUrl"] = f"{far.base}/oauth/token"
    if "baseUrl" in definition.get("configSchema", {}).get("required", ()):
        config["baseUrl"] = definition["baseUrl"]
    body = {"integrationDefinitionId": definition["id"], "name": f"It {new_id()}", "config": config}
    given = {} if connection.credentials is None else {"credentials": connection.credentials}
    made = await platform.ok("POST", INSTANCES, body | given, 201)
    assert made["status"] == "CONNECTED"
    return f"{INSTANCES}/{made['id']}"


@pytest.mark.parametrize("name", sorted(CONNECTIONS))
async def test_every_exchange(world: World, name: str) -> None:
    platform, connection, known = Platform(world), CONNECTIONS[name], exchanges_of(name)
    async with vendor(connection.prefix, connection.headers) as far:
        definition = await local(platform, name, far, connection.prefix)
        for file in known:
            one = await connected(platform, definition, connection, far)
            await _played(platform, far, one, known, file)
        if name == "research.orcid":
            wanted = {"grant_type": "client_credentials", "scope": "/read-public", "client_id": CLIENT["clientId"]}
            assert far.tokens[0] == wanted | {"client_secret": CLIENT["clientSecret"]}


async def _played(platform: Platform, far: Vendor, one: str, known: dict[str, Exchange], file: str) -> None:
    exchange, cursor = known[file], None
    if exchange.follows is not None:
        first = known[exchange.follows]
        assert first.follows is None or first.method == exchange.method
        cursor = await _cursor(platform, far, one, known, exchange.follows)
    far.expected, far.faults = exchange, []
    asked = {"parameters": exchange.parameters} | ({"cursor": cursor} if cursor else {})
    answer = await platform.ask("POST", f"{one}/methods/{exchange.method}/execute", asked)
    assert far.faults == [], (file, far.faults)
    if exchange.error is not UNSET:
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (exchange.error.status, exchange.error.code), (file, error)
        assert exchange.error.message in (None, error["message"]), (file, error)
        if exchange.error.retry_after is not None:
            assert int(answer.headers["Retry-After"]) == exchange.error.retry_after, file
        return
    assert answer.status_code == 200, (file, answer.text)
    wanted = exchange.answer.content if exchange.result is UNSET else exchange.result
    assert answer.json()["data"] == (None if wanted is UNSET else wanted), file


async def _cursor(platform: Platform, far: Vendor, one: str, known: dict[str, Exchange], file: str) -> str:
    """That of the page after this one, which is asked for as any page is."""
    exchange, cursor = known[file], None
    if exchange.follows is not None:
        cursor = await _cursor(platform, far, one, known, exchange.follows)
    far.expected, far.faults = exchange, []
    asked = {"parameters": exchange.parameters} | ({"cursor": cursor} if cursor else {})
    found = await platform.ok("POST", f"{one}/methods/{exchange.method}/execute", asked)
    assert far.faults == [], (file, far.faults)
    assert found["nextCursor"] is not None, f"{file} is no last page"
    return str(found["nextCursor"])


#: What a definition lists of a type of resource: by which exchange, with which query, and the ids.
DISCOVERIES: list[tuple[str, str, dict[str, Any], str, dict[str, str], list[str]]] = [
    ("scm.github", "repositories", {}, "listRepositories",
     {"sort": "pushed", "per_page": "100"}, ["mfocko/2023-upa-2", "mfocko/actions"]),
    ("scm.github", "branches", {"parent": "packit/ogr", "limit": 500}, "listBranches",
     {"per_page": "100"}, ["0.13.1-release", "master"]),
    ("scm.github", "tags", {"parent": "packit/ogr", "limit": 5}, "listTags",
     {"per_page": "5"}, ["0.13.1", "0.13.0"]),
    ("scm.github", "pipelines", {"parent": "octocat/engine"}, "listWorkflows",
     {"per_page": "100"}, ["161335"]),
    ("scm.gitlab", "repositories", {"query": "engine"}, "listProjects",
     {"membership": "true", "search": "engine", "per_page": "100"}, ["7"]),
    ("scm.gitlab", "branches", {"parent": "3163647"}, "listBranches.page1",
     {"per_page": "100"}, ["Aniketh01/wget2-add_Last-Modified", "aschwab1"]),
    ("scm.gitlab", "tags", {"parent": "14233409", "query": "0."}, "listTags",
     {"per_page": "100", "search": "0."}, ["0.2.7", "0.2.6"]),
    ("scm.gitlab", "pipelines", {"parent": "7", "query": "main"}, "listPipelines",
     {"per_page": "100", "ref": "main"}, ["47"]),
    ("scm.gitea", "repositories", {"query": "engine"}, "searchRepositories",
     {"q": "engine", "limit": "50"}, ["ada/engine"]),
    ("scm.gitea", "branches", {"parent": "packit-validator/ogr-tests"}, "listBranches.page1",
     {"limit": "50"}, ["pr-test1", "master"]),
    ("scm.gitea", "tags", {"parent": "ada/engine", "limit": 7}, "listTags",
     {"limit": "7"}, ["v1.1"]),
    ("vault.hashicorp", "secrets", {}, "listSecrets",
     {"list": "true"}, ["app", "db/"]),
    ("vault.hashicorp", "secrets", {"parent": "db/prod/"}, "listSecrets.folder",
     {"list": "true"}, ["db/prod/main", "db/prod/replica/"]),
    ("notification.slack", "channels", {"limit": 3}, "listChannels",
     {"limit": "3", "types": "public_channel", "exclude_archived": "true"}, ["C0EAQDV4Z"]),
    ("research.orcid", "people", {"query": "Carberry"}, "expandedSearch",
     {"q": "Carberry", "rows": "100"}, ["0000-0002-1825-0097"]),
]  # fmt: skip


async def test_what_is_discovered(world: World) -> None:
    """Each type of resource that a definition names; those of a parent by the id that was discovered of it."""
    platform = Platform(world)
    assert {(each[0], each[1]) for each in DISCOVERIES} == {
        (name, kind) for name in CONNECTIONS for kind in BUILT_IN[name].discover or ()
    }
    for name, kind, asked, file, query, ids in DISCOVERIES:
        connection, exchange = CONNECTIONS[name], exchanges_of(name)[file]
        async with vendor(connection.prefix, connection.headers) as far:
            definition = await local(platform, name, far, connection.prefix)
            one = await connected(platform, definition, connection, far)
            far.expected = with_query(exchange, query)
            body = {"resourceType": kind} | asked
            answer = await platform.ask("POST", f"{TYPES}/{one.rpartition('/')[2]}/discover", body)
            assert far.faults == [] and answer.status_code == 200, (file, far.faults, answer.text)
            assert [each["id"] for each in answer.json()["data"]["resources"]] == ids, (name, file)


@pytest.mark.parametrize("asked", [{}, {"parent": "engine"}, {"parent": "/"}, {"parent": "ada/engine", "cursor": "1"}])
async def test_what_cannot_be_discovered(world: World, asked: dict[str, str]) -> None:
    """What is wrong is told of what was given."""
    platform, connection = Platform(world), CONNECTIONS["scm.github"]
    async with vendor(connection.prefix, connection.headers) as far:
        definition = await local(platform, "scm.github", far, connection.prefix)
        one = await connected(platform, definition, connection, far)
        path = f"{TYPES}/{one.rpartition('/')[2]}/discover"
        error = await platform.refused(400, "VAL_FAILED", "POST", path, {"resourceType": "branches"} | asked)
        field = "cursor" if "cursor" in asked else "parent"
        assert [each["field"] for each in error["validationErrors"]] == [field] and far.seen == []


def with_query(exchange: Exchange, query: dict[str, str]) -> Exchange:
    return msgspec.structs.replace(exchange, request=msgspec.structs.replace(exchange.request, query=query))


@pytest.mark.parametrize("name", sorted(CONNECTIONS))
async def test_a_connection_is_tested(world: World, name: str) -> None:
    """By the method that the definition names for it; what the vendor refuses is a failure with its words."""
    platform, connection, known = Platform(world), CONNECTIONS[name], exchanges_of(name)
    verification = BUILT_IN[name].verification
    assert verification is not None
    good = known[verification.method]
    if verification.params:
        good = with_query(good, {key: str(value) for key, value in verification.params.items() if key != "path"})
        path = f"/{verification.params['path']}" if "path" in verification.params else good.request.path
        good = msgspec.structs.replace(good, request=msgspec.structs.replace(good.request, path=path))
    refusal = msgspec.structs.replace(good, answer=Given(401, {}, {"message": "no", "errors": ["no"]}))
    async with vendor(connection.prefix, connection.headers) as far:
        definition = await local(platform, name, far, connection.prefix)
        one = await connected(platform, definition, connection, far)
        for far.expected, success in ((good, True), (refusal, False)):
            found = (await platform.ok("POST", f"{TYPES}/{one.rpartition('/')[2]}/test", {}))["data"]
            assert far.faults == [] and found["success"] is success, (far.faults, found)


async def test_a_client_proves_itself_to_no_other_host(world: World) -> None:
    """The token endpoint of a configuration is at a host that the definition allows."""
    platform, connection = Platform(world), CONNECTIONS["research.orcid"]
    async with vendor(connection.prefix, {}) as far:
        definition = await local(platform, "research.orcid", far, connection.prefix)
        far.base = far.base.replace("127.0.0.1", "localhost")
        one = await connected(platform, definition, connection, far)
        asked = {"parameters": {"q": "ada"}}
        error = await platform.refused(409, "AUTH_ERROR", "POST", f"{one}/methods/search/execute", asked)
        assert "tokenUrl" in error["message"] and far.tokens == []


@pytest.mark.parametrize("name", sorted(name for name, each in BUILT_IN.items() if each.methods))
def test_every_method_is_called(name: str) -> None:
    """An exchange in which all goes well, or a call of a real server."""
    methods = {method.name for method in BUILT_IN[name].methods}
    if name in REAL:
        source = (Path(__file__).parent / REAL[name]).read_text()
        assert {each for each in methods if f'"{each}"' not in source} == set()
    else:
        known = exchanges_of(name).values()
        assert {each.method for each in known} <= methods
        assert methods == {each.method for each in known if each.error is UNSET}
        assert any(each.error is not UNSET for each in known), "what the vendor refuses"


def test_the_notice_has_every_method() -> None:
    assert NOTICE.read_text() == notice(), "python -m tests.runtime.exchanges"


@pytest.mark.parametrize("name", sorted(name for name, note in notes().items() if note.call is not None))
def test_the_call_that_the_page_shows_works(name: str) -> None:
    """It is that of an exchange; those of real servers fit their method's parameters."""
    call = notes()[name].call
    assert call is not None
    method, parameters = call
    if name in REAL:
        schema = next(each.param_schema for each in BUILT_IN[name].methods if each.name == method)
        assert schema is not None and list(schema_faults(compile_schema(schema), parameters)) == []
    else:
        calls = [(each.method, each.parameters) for each in exchanges_of(name).values() if each.error is UNSET]
        assert (method, parameters) in calls
