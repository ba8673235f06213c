"""What operations cost, and what happens when the budget is spent."""

import pytest

from graph.documents import Documents
from graph.schema import core
from tests.graphql import toys
from tests.graphql.clients import ask, server


def cost(text: str, **variables) -> int:
    return Documents(core(toys.toy_schema())).prepare(text).operation(None).cost(variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ __typename }", 1),
        ("{ viewer { name kind } }", 1),
        ("{ say }", 1),
        ("{ toys(first: 10) { nodes { name } } }", 1 + 10),
        ("{ toys(first: 10) { edges { cursor node { name } } pageInfo { hasNextPage } } }", 1 + 10),
        ("{ toys(first: 10) { totalCount nodes { name size } } }", 1 + 1 + 10),
        ("{ toys(first: 10) { nodes { name parts { label } } } }", 1 + 10 * (1 + 10)),
        ("{ toys { nodes { name } } }", 1 + 100),
        ("{ toys(first: 5000) { nodes { name } } }", 1 + 100),
        ("{ toys(first: -5) { nodes { name } } }", 1 + 1),
        ("{ toys(first: 10) { nodes { name } } toys(first: 10) { nodes { size } } }", 1 + 10),
        ("{ a: toys(first: 10) { nodes { name } } toys(first: 10) { nodes { size } } }", 2 * (1 + 10)),
        ("{ ...f ...f } fragment f on Query { toys(last: 7) { nodes { name } } }", 1 + 7),
        ('{ nodes(ids: ["a", "b", "c"]) { id ... on Toy { parts { label } } } }', 3 * (1 + 10)),
        ('mutation { makeToy(name: "a") { toy { name } errors { code } } }', 10 + 1 + 10),
    ],
)
def test_static_costs(text, expected):
    """Objects times the lengths of the lists that they stand in."""
    assert cost(text) == expected


def test_costs_by_variables():
    """Defaults, values, absurd values, both ends."""
    text = "query($n: Int = 5, $l: Int) { toys(first: $n, last: $l) { nodes { name } } }"
    assert cost(text) == 6
    assert cost(text, n=20) == 21
    assert cost(text, n=None) == 101
    assert cost(text, n=None, l=7) == 8
    assert cost(text, n=10**9) == 101
    assert cost(text, n=True) == 101
    assert cost("query($i: [ID!]!) { nodes(ids: $i) { id } }", i=["a"] * 12) == 12


async def test_an_operation_over_the_limit_is_refused_before_it_is_charged():
    """1,000 is the most, whatever the budget."""
    app = server()
    nested = "{ toys(first: 100) { nodes { parts { label } } } }"
    response = await ask(app, nested)
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"
    assert "1101" in error["message"]
    after = await ask(app, "{ say }")
    assert after.json()["extensions"]["cost"]["remaining"] == 30_000 - 1


async def test_a_spent_budget_is_429_and_says_when_to_come_back():
    """Half of a minute's budget at once; each caller has their own, premium has five times as much."""
    app = server(graphql_cost_per_minute=60)
    query = "{ toys(first: 24) { nodes { name } } }"
    first = await ask(app, query)
    assert first.json()["extensions"]["cost"] == {
        "requested": 25,
        "used": 25,
        "limit": 60,
        "remaining": 5,
        "resetAfterMs": pytest.approx(25_000, abs=1_000),
    }
    assert first.headers["x-ratelimit-remaining"] == "5"
    spent = await ask(app, query)
    assert spent.status_code == 429
    error = spent.json()["errors"][0]["extensions"]
    assert error["code"] == "COST_LIMIT_EXCEEDED"
    assert error["retryAfterMs"] == int(spent.headers["retry-after"]) * 1_000 > 0
    assert spent.headers["x-ratelimit-limit"] == "60"
    assert (await ask(app, query, token="premium")).headers["x-ratelimit-limit"] == "300"


async def test_what_was_not_used_is_given_back():
    """A list that was charged for ten has two: the bucket, the report and the headers have the difference again."""
    app = server(graphql_cost_per_minute=600)
    query = "{ toys(first: 2) { nodes { name parts { label } } } }"
    first = await ask(app, query)
    cost = first.json()["extensions"]["cost"]
    parts = sum(len(toy["parts"]) for toy in first.json()["data"]["toys"]["nodes"])
    assert (cost["requested"], cost["used"]) == (1 + 2 * (1 + 10), 1 + 2 + parts)
    assert cost["used"] < cost["requested"]
    assert cost["remaining"] == 300 - cost["used"] == int(first.headers["x-ratelimit-remaining"])
    second = (await ask(app, "{ say }")).json()["extensions"]["cost"]
    assert cost["remaining"] - 1 <= second["remaining"] <= cost["remaining"]


async def test_what_failed_is_not_given_back():
    """It may have cost what it was charged for."""
    app = server()
    failed = await ask(
        app, 'mutation { makeToy(name: "broken") { toy { name parts { label } } errors { code } } }', "writer"
    )
    cost = failed.json()["extensions"]["cost"]
    assert failed.json()["errors"]
    assert cost["used"] == cost["requested"]
