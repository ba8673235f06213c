"""Lists answered by generated code say what graphql-core's own walk says, on the real schema and real rows."""

from typing import Any

import pytest

from app.errors import ScopeDenied
from graph import execution, loaders
from graph.compiled import RowPlan
from graph.origins.types import ORIGINS_OF
from tests.world import World

LEAVES = "id displayName status platform description rateLimitPerMinute createdAt updatedAt version __typename"
ORIGINS = "origins { id origin verificationStatus verifiedAt misses health graceUntil }"
KEYS = "credentials { id kid label mode status scopes createdAt lastUsedAt expiresAt imported }"
QUERIES = [
    "{ installations(first: 20) { nodes { " + LEAVES + " } } }",
    "{ installations(first: 20) { edges { cursor node { " + LEAVES + " } } pageInfo { hasNextPage endCursor } } }",
    "{ installations(first: 20) { nodes { n: displayName m: displayName " + ORIGINS + " } } }",
    f"{{ installations(first: 20) {{ nodes {{ {LEAVES} {ORIGINS} {KEYS} }} totalCount }} }}",
    "{ installations(first: 20) { nodes { id a: origins { id } b: origins { origin } } } }",
    "{ installations(first: 20) { nodes { origins { installation { id origins { origin } } } } } }",
    "{ installations(first: 20) { nodes { credentials { replacedBy { kid } installation { id } } } } }",
    "{ installations(first: 20) { nodes { origins { challenge { value } } } } }",
    "{ installations(first: 20) { nodes { ...F } } } fragment F on Installation { id origins { origin } }",
    "{ installations(first: 20) { nodes { id @skip(if: true) displayName } } }",
    "{ installations(first: 20) { nodes { usage { operation } } } }",
    "{ installations(last: 2) { nodes { displayName } } }",
    "{ people(first: 20) { nodes { id orcidId name biography syncStatus publicationCount listed lastFetchedAt } } }",
]


async def _fill(world: World) -> None:
    for number in range(4):
        installation = await world.installation(verified=number != 2, platform="drupal")
        await world.origin(installation["id"], verified=False)
        for place in range(number):
            await world.key(installation["id"], expires_at=None if place else 4_000_000_000_000)


@pytest.fixture
async def filled(world: World) -> World:
    await _fill(world)
    return world


async def _both(world: World, query: str, token: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    compiled = (await world.graphql(f"{query} # compiled", token)).json()
    with monkeypatch.context() as patched:
        patched.setattr(execution, "compile_list", lambda *_: None)
        walked = (await world.graphql(f"{query} # walked", token)).json()
    for answer in (compiled, walked):
        answer.pop("extensions", None)
        for error in answer.get("errors", []):
            error["extensions"].pop("requestId", None)
            error.pop("locations", None)
    return compiled, walked


@pytest.mark.parametrize("query", QUERIES)
async def test_compiled_and_walked_are_the_same(filled: World, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data and errors are equal, for a caller with all scopes and for one who may not see what is nested."""
    for token in (filled.token("admin"), filled.token(permissions=["installations.read"])):
        compiled, walked = await _both(filled, query, token, monkeypatch)
        assert compiled == walked
        assert compiled["data"]


async def test_what_is_plain_is_compiled_and_what_is_odd_is_walked(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short way is taken where it can be (else this suite would prove nothing), and left at the first odd value."""
    answered: list[str] = []
    encode = RowPlan._encode

    def counted(self: RowPlan, *given: Any) -> Any:
        answered.append(self.kind.name)
        return encode(self, *given)

    monkeypatch.setattr(RowPlan, "_encode", counted)
    token = filled.token("admin")
    await filled.graphql(QUERIES[3] + " # counted", token)
    assert answered == ["Origin", "Credential", "Installation"]
    answered.clear()
    await filled.graphql(QUERIES[9] + " # counted", token)
    assert answered == []


async def test_statements_do_not_grow_with_the_page(filled: World) -> None:
    """One statement a level: installations, origins, credentials; a fourth only for the total."""
    token = filled.token("admin")
    database = filled.runtime.database
    for size in (1, 4, 50):
        query = f"{{ installations(first: {size}) {{ nodes {{ id {ORIGINS} {KEYS} }} }} }}"
        await filled.graphql(query, token)
        with database.count_statements() as counted:
            answer = (await filled.graphql(query, token)).json()
        assert "errors" not in answer
        # The sealer may be at work in the same database.
        ours = [text for text in counted.texts if "audit_" not in text and text.startswith("SELECT")]
        assert len(ours) == 3, ours


async def test_only_what_is_selected_is_read(filled: World) -> None:
    """An edge's statement names the columns of its selection and the owner, once for two selections of one level."""
    query = (
        "{ installations(first: 9) { nodes { a: origins { id } b: origins { health origin } credentials { kid } } } }"
    )
    token = filled.token("admin")
    with filled.runtime.database.count_statements() as counted:
        answer = (await filled.graphql(query, token)).json()
    assert "errors" not in answer
    read = {text.split(" FROM ")[1].split()[0]: text.split(" FROM ")[0] for text in counted.texts if " FROM " in text}
    assert read["origin"] == "SELECT id, health, origin, installation"
    assert read["credential"] == "SELECT kid, installation"
    assert sum(" FROM origin " in text for text in counted.texts) == 1


async def test_a_refusal_of_an_edge_is_asked_for_once(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk that follows a refused load does not ask again: one denial, not one for each way."""
    asked: list[int] = []

    async def refused(context: Any, keys: Any, columns: Any = None) -> list[Any]:
        asked.append(len(keys))
        raise ScopeDenied("Not for you.", required_scope="x", granted_scopes=[])

    monkeypatch.setattr(ORIGINS_OF, "_read", refused)
    query = "{ installations(first: 9) { nodes { origins { id } } } }"
    answer = (await filled.graphql(query, filled.token("admin"))).json()
    assert asked == [4]
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"SCOPE_DENIED"}


async def test_many_owners_are_asked_for_in_parts(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement takes so many keys and no more; the rows of all parts come to their owners."""
    query = "{ installations(first: 9) { nodes { displayName origins { origin } } } }"
    whole = (await filled.graphql(query, filled.token("admin"))).json()["data"]
    monkeypatch.setattr(loaders, "MOST_KEYS", 3)
    with filled.runtime.database.count_statements() as counted:
        parts = (await filled.graphql(query, filled.token("admin"))).json()["data"]
    assert parts == whole
    assert sum(" FROM origin " in text for text in counted.texts) == 2
