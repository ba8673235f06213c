"""Over HTTP: status codes, media types, and what is said to whom."""

import json

import pytest

from graph.relay import to_global_id
from tests.graphql import toys
from tests.graphql.clients import ask, http, server

RESPONSE = "application/graphql-response+json"


def code(response) -> str:
    error = response.json()["errors"][0]
    assert error["extensions"]["requestId"].startswith("req_")
    return error["extensions"]["code"]


async def test_a_query_is_answered_with_its_cost_and_the_state_of_the_budget():
    """The answer says what it cost; headers say what is left, in both spellings."""
    response = await ask(server(), "{ viewer { subject kind tenantId scopes tier authn roles name } }")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(RESPONSE)
    content = response.json()
    assert content["data"]["viewer"]["subject"] == "reader"
    assert content["data"]["viewer"]["scopes"] == ["people.read"]
    assert content["extensions"]["cost"]["requested"] == 1
    assert response.headers["x-ratelimit-limit"] == "60000"
    assert response.headers["ratelimit-policy"] == '"cost";q=60000;w=60'
    assert {"x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit"} <= set(response.headers)


async def test_a_field_cannot_be_read_without_a_token_not_even_the_schema():
    """Introspection needs a token as well; the answer says how to send one."""
    app = server()
    for query in ("{ viewer { subject } }", "{ __schema { types { name } } }", "{"):
        response = await ask(app, query, token=None)
        assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == "Bearer"
    assert code(await ask(app, "{ viewer { subject } }", token="stranger")) == "INVALID_TOKEN"
    response = await ask(app, "{ viewer { subject } }", token="away")
    assert (response.status_code, code(response)) == (503, "SERVICE_UNAVAILABLE")


@pytest.mark.parametrize("media", [RESPONSE, "application/json", "*/*", "text/html"])
async def test_what_is_not_executed_has_a_status_of_its_own_in_both_media_types(media):
    """A client that asked for plain JSON sees the refusal in the status as well."""
    response = await ask(server(), "{ nothing }", accept=media)
    assert (response.status_code, code(response)) == (400, "QUERY_REFUSED")
    assert response.headers["content-type"].startswith(RESPONSE if media == RESPONSE else "application/json")
    assert response.json()["errors"][0]["locations"] == [{"line": 1, "column": 3}]
    assert "data" not in response.json()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{", "MALFORMED_BODY"),
        ("[]", "MALFORMED_BODY"),
        ('[{"query": "{ viewer { subject } }"}]', "MALFORMED_BODY"),
        ('"text"', "MALFORMED_BODY"),
        ('{"query": 5}', "MALFORMED_BODY"),
        ('{"query": "{ say(text: \\"\\ud800\\") }"}', "MALFORMED_BODY"),
        ("[" * 90_000, "MALFORMED_BODY"),
        ('{"variables": ' + "[" * 5_000 + "]" * 5_000 + "}", "MALFORMED_BODY"),
        ('{"query": "{ viewer { subject } }", "variables": []}', "MALFORMED_BODY"),
        ("{}", "QUERY_REFUSED"),
        ('{"query": ""}', "QUERY_REFUSED"),
        ('{"query": "{ viewer { subject } "}', "QUERY_REFUSED"),
        ('{"query": "query A { viewer { subject } } query B { viewer { kind } }"}', "QUERY_REFUSED"),
        ('{"query": "query A { viewer { subject } }", "operationName": "C"}', "QUERY_REFUSED"),
        ('{"query": "type A { b: Int }"}', "QUERY_REFUSED"),
        ('{"query": "fragment A on Viewer { subject }"}', "QUERY_REFUSED"),
        ('{"query": "subscription { toyMade { name } }"}', "QUERY_REFUSED"),
        (
            '{"query": "query($n: Int) { toys(first: $n) { nodes { name } } }", "variables": {"n": "x"}}',
            "QUERY_REFUSED",
        ),
        ('{"documentId": "sha256:00"}', "DOCUMENT_NOT_TRUSTED"),
    ],
)
async def test_bodies_that_are_refused(body, expected):
    """Each has a code, and status 400."""
    async with http(server()) as client:
        response = await client.post("/graphql", content=body.encode(), headers={"Content-Type": "application/json"})
    assert (response.status_code, code(response)) == (400, expected)


async def test_other_methods_media_types_and_sizes():
    """405 names what is allowed, 415 and 413 need no look at the body."""
    app = server(max_body_bytes=1_024)
    async with http(app) as client:
        response = await client.delete("/graphql")
        assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
        assert "POST" in response.headers["allow"]
        response = await client.post("/graphql", content=b"query=1", headers={"Content-Type": "text/plain"})
        assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")
        response = await client.post("/graphql", json={"query": "#" * 2_000})
        assert (response.status_code, code(response)) == (413, "PAYLOAD_TOO_LARGE")
        response = await client.options("/graphql")
        assert response.status_code == 204
        assert not [name for name in response.headers if name.startswith("access-control")]
        assert (await client.get("/graphql")).text == "<!doctype html>"
        assert (await client.head("/graphql")).content == b""
        assert (await client.get("/graphql", headers={"Accept": "text/event-stream"})).status_code == 405
        assert (await client.get("/graphql/operations.json")).json() == []
        assert (await client.get("/graphql/other")).status_code == 404


async def test_text_that_cannot_be_stored_is_refused_where_it_stands():
    """U+0000 in a literal, in a variable, in a name of a variable's object."""
    app = server()
    response = await ask(app, '{ say(text: "\\u0000") }')
    assert (response.status_code, code(response)) == (400, "QUERY_REFUSED")
    response = await ask(app, "query($t: String!) { say(text: $t) }", variables={"t": "a\0b"})
    assert response.status_code == 400
    assert "variables.t" in response.json()["errors"][0]["message"]
    response = await ask(app, "{ viewer { subject } }", variables={"t": {"deep": [{"n\0": 1}]}})
    assert "variables.t.deep[0]" in response.json()["errors"][0]["message"]
    for number in (2**63, -(2**63) - 1, 10**30):
        assert (await ask(app, f"{{ echo(number: {number}) }}")).status_code == 400
        answer = await ask(app, "query($n: BigInt) { echo(number: $n) }", variables={"n": number})
        assert answer.status_code == 400
    assert (await ask(app, f"{{ echo(number: {2**63 - 1}) }}")).json()["data"]["echo"] == 2**63 - 1


@pytest.mark.parametrize("query", ["{ broken }", "{ misfit }"])
async def test_what_is_unexpected_is_masked(query, capsys):
    """Neither the message nor the value of what failed is in the answer; the log has it, with the request id."""
    response = await ask(server(), query)
    assert response.status_code == 200
    assert "hunter2" not in response.text
    error = response.json()["errors"][0]
    assert error["message"] == "Something went wrong on our side"
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["path"] == [query.strip("{ }")]
    logged = "".join(capsys.readouterr())
    assert "hunter2" in logged
    assert error["extensions"]["requestId"] in logged


async def test_refusals_of_a_query_are_errors_with_the_code_of_the_refusal():
    """Without the scope: null and an error, and the denial is recorded. Missing: null alone. A wrong id: says so."""
    runtime = toys.runtime()
    app = server(runtime)
    response = await ask(app, "{ toys(first: 1) { nodes { name } } }", token="nobody")
    assert response.status_code == 200
    assert response.json()["data"] == {"toys": None}
    assert code(response) == "SCOPE_DENIED"
    assert response.json()["errors"][0]["extensions"]["required"] == "people.read"
    assert [entry.code for entry in runtime.denials.recorded] == ["scope_denied"]
    missing = to_global_id("Toy", toys.STRANGER)
    response = await ask(app, f'{{ toy(id: "{missing}") {{ name }} }}')
    assert response.json()["data"] == {"toy": None}
    assert "errors" not in response.json()
    response = await ask(app, '{ toy(id: "nonsense") { name } }')
    assert code(response) == "VALIDATION_FAILED"
    assert response.json()["errors"][0]["extensions"]["fields"][0]["field"] == "id"


async def test_nodes_are_found_by_their_ids_and_what_may_not_be_seen_is_null():
    """Foreign, missing, malformed and out of scope: all null, without an error."""
    app = server()
    known, foreign = to_global_id("Toy", toys.TOY), to_global_id("Toy", toys.STRANGER)
    query = (
        "query($ids: [ID!]!, $id: ID!) { node(id: $id) { id ... on Toy { name } } nodes(ids: $ids) { __typename id } }"
    )
    ids = [known, foreign, "nonsense", to_global_id("Other", toys.TOY), "Ω"]
    response = await ask(app, query, variables={"id": known, "ids": ids})
    assert response.json()["data"] == {
        "node": {"id": known, "name": "toy 77"},
        "nodes": [{"__typename": "Toy", "id": known}, None, None, None, None],
    }
    response = await ask(app, query, token="nobody", variables={"id": known, "ids": [known]})
    assert response.json()["data"] == {"node": None, "nodes": [None]}
    assert "errors" not in response.json()
    response = await ask(app, query, variables={"id": known, "ids": [known] * 101})
    assert code(response) == "VALIDATION_FAILED"


async def test_a_connection_counts_only_when_asked_and_loads_edges_in_one_batch():
    """One call of the loader whatever the page size; no count without totalCount."""
    runtime = toys.runtime()
    app = server(runtime)
    toys.BATCHES.clear()
    query = """query($n: Int) { toys(first: $n) { pageInfo { hasNextPage endCursor }
        edges { cursor node { id name madeAt size tags parts { label } } } } }"""
    response = await ask(app, query, variables={"n": 50})
    connection = response.json()["data"]["toys"]
    assert len(connection["edges"]) == 50
    assert connection["edges"][0]["node"]["madeAt"] == "2025-11-02T02:20:00.001Z"
    assert connection["edges"][0]["node"]["tags"] == {"soft": True}
    assert connection["pageInfo"] == {"hasNextPage": True, "endCursor": connection["edges"][-1]["cursor"]}
    assert [len(batch) for batch in toys.BATCHES] == [50]
    assert runtime.database.counts == 0
    response = await ask(app, "{ toys(first: 1) { totalCount nodes { name } } }")
    assert response.json()["data"]["toys"]["totalCount"] == 1234
    assert runtime.database.counts == 1


async def test_a_loader_that_fails_is_logged_once(capsys):
    """Each field that waited has its error; the log has one stack."""
    response = await ask(server(), "{ toys(first: 13) { nodes { parts { label } } } }")
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"INTERNAL"}
    assert "hunter2" not in response.text
    assert "".join(capsys.readouterr()).count("a field failed") == 1


async def test_a_mutation_answers_with_what_it_made_or_with_why_not():
    """Expected refusals, wrong ids and missing scopes are data; what is not of the input is a top-level error."""
    app = server()
    query = """mutation($name: String!, $near: ID) { makeToy(name: $name, near: $near) { toy { name } errors {
        __typename code message path ... on ValidationError { fields { field message } }
        ... on ScopeDenied { required granted } ... on Conflict { details } } } }"""

    async def errors(token="writer", **variables):
        content = (await ask(app, query, token, variables=variables)).json()
        assert content["data"]["makeToy"]["toy"] is None
        return content["data"]["makeToy"]["errors"][0]

    good = await ask(app, query, "writer", variables={"name": "bear"})
    assert good.json()["data"] == {"makeToy": {"toy": {"name": "toy 1"}, "errors": []}}
    taken = await errors(name="taken")
    assert (taken["__typename"], taken["code"], taken["details"]) == ("Conflict", "conflict", {"name": "taken"})
    empty = await errors(name="")
    assert (empty["code"], empty["path"]) == ("validation_failed", ["name"])
    assert empty["fields"] == [{"field": "name", "message": "must not be empty"}]
    assert (await errors(name="bear", near="nonsense"))["fields"][0]["field"] == "near"
    denied = await errors(token="reader", name="bear")
    assert (denied["__typename"], denied["required"]) == ("ScopeDenied", "people.write")
    away = await ask(app, query, "writer", variables={"name": "away"})
    assert (away.status_code, code(away)) == (503, "SERVICE_UNAVAILABLE")
    assert away.headers["retry-after"] == "5"
    broken = await ask(app, query, "writer", variables={"name": "broken"})
    assert code(broken) == "INTERNAL"
    assert "hunter2" not in broken.text


async def test_the_request_id_of_the_roof_is_used():
    """What the roof has put into the scope's state is in errors."""
    app = server()
    sent = []
    scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": [], "state": {"request_id": "req_roof"}}

    async def send(message):
        sent.append(message)

    await app(scope, None, send)
    assert json.loads(sent[1]["body"])["errors"][0]["extensions"]["requestId"] == "req_roof"
