"""Ten thousand random and hostile requests to the control plane: refused or answered, never broken, nothing shown."""

import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from graph.manifest import operations_folder
from tests.world import World

SEED, REQUESTS = 20_260_422, 5_000
LEAK = re.compile(r"Traceback|asyncpg|sqlite3|SELECT |INSERT |/work/|\.py\b|site-packages|digest|pepper", re.IGNORECASE)
WORDS = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    "!",
    "$",
    "@",
    "...",
    "query",
    "mutation",
    "subscription",
    "fragment",
    "on",
    "__typename",
    "__schema",
    "__type",
    "node",
    "nodes",
    "edges",
    "id",
    "installations",
    "people",
    "publications",
    "works",
    "projects",
    "auditEvents",
    "first",
    "last",
    "after",
    "before",
    "filter",
    "sort",
    "1",
    "100",
    "-1",
    "99999999999999",
    "1e309",
    "true",
    "null",
    '""',
    '"\\u0000"',
    '"x"',
    "$v",
    "$v:",
    "String",
    "@include(if:",
    "true)",
    "@skip",
    "totalCount",
    "pageInfo",
    "name",
    "input",
]
VALUES: list[Any] = [None, True, -1, 2**63, 10**40, 1e308, "", "\x00", "ü" * 500, "'; DROP TABLE person; --", [], {}]


def _documents() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(operations_folder().glob("*.graphql"))]


def _mutated(chance: random.Random, text: str) -> str:
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(text))
        piece = chance.choice([*WORDS, "\N{SNOWMAN}", "\n", "#", '"', "{" * chance.randrange(1, 60)])
        text = text[:place] + piece + text[place + chance.randrange(0, 9) :]
    return text


def _junk(chance: random.Random, depth: int = 0) -> Any:
    if depth > 5 or chance.random() < 0.6:
        return chance.choice(VALUES)
    if chance.random() < 0.5:
        return [_junk(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(WORDS): _junk(chance, depth + 1) for _ in range(chance.randrange(4))}


def _words(chance: random.Random) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(chance.randrange(1, 80)))


def _bodies(documents: list[str]) -> list[Callable[[random.Random], bytes]]:
    def body(query: Any, chance: random.Random) -> bytes:
        return json.dumps({"query": query, "variables": _junk(chance), "operationName": None}).encode()

    return [
        lambda c: body(_mutated(c, c.choice(documents)), c),
        lambda c: body(c.choice(documents), c),
        lambda c: body(_words(c), c),
        lambda c: json.dumps(_junk(c)).encode(),
        lambda c: c.randbytes(c.randrange(0, 400)),
        lambda c: b"[" * c.randrange(1, 5_000),
        lambda c: json.dumps({c.choice(["query", "documentId", "extensions", "id"]): _junk(c)}).encode(),
        lambda c: body("{ " + f"a{c.randrange(9)}: viewer {{ subject }} " * c.randrange(1, 200) + "}", c),
    ]


def _headers(chance: random.Random, token: str) -> dict[str, str]:
    kinds = ["application/json"] * 8 + ["text/plain", "application/json; charset=utf-16", "multipart/form-data", ""]
    tokens = [f"Bearer {token}"] * 8 + ["Bearer x", "Basic eA==", "Bearer " + "a" * 9_000, ""]
    accepts = ["application/json", "application/graphql-response+json", "*/*", "text/html;q=x", ""]
    given = {"Content-Type": chance.choice(kinds), "Authorization": chance.choice(tokens)}
    return given | {
        "Accept": chance.choice(accepts),
        "X-Request-Id": chance.choice(["", "a b", "ok-12345678", "x" * 300]),
    }


@pytest.mark.resilience
async def test_nothing_breaks_and_nothing_leaks(world: World) -> None:
    """No 5xx, no SQL, no stack, no name of a file; every answer is JSON with its request id."""
    chance = random.Random(SEED)
    # Reading alone: what is written by chance is another test's.
    token = world.token("viewer", permissions=["audit.read"])
    makers = _bodies(_documents())
    seen: dict[int, int] = {}
    for number in range(REQUESTS):
        content, headers = chance.choice(makers)(chance), _headers(chance, token)
        method = chance.choice(["POST"] * 12 + ["PUT", "DELETE", "PATCH"])
        answer = await world.client.request(method, "/graphql", content=content, headers=headers)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        assert answer.status_code < 500, (number, content[:300], answer.text[:300])
        assert answer.headers["X-Request-Id"]
        parsed = answer.json()
        messages = json.dumps([error.get("message") for error in parsed.get("errors", [])])
        assert not LEAK.search(messages), (number, content[:300], messages)
        assert "INTERNAL" not in answer.text, (number, content[:300], answer.text[:300])
    assert {200, 400, 401, 405, 415} <= set(seen)
