"""Every operation × (no credential, wrong tenant, missing scope, right scope) × each surface that serves it."""

from __future__ import annotations

from typing import Any

import pytest

from app.auth.scopes import Scope
from graph.requires import FIELD_OPERATIONS
from graph.schema import build_schema
from rest.integrations_v1.routes import ROUTES as V1_ROUTES
from rest.integrations_v2.routes import ROUTES as V2_ROUTES
from services.operations import OPERATIONS, Operation, declared
from tests.parity.samples import SAMPLES, rows
from tests.runtime.records import made, orcid, person, publication, work
from tests.runtime.surface import Surface
from tests.world import ALL_SCOPES, World

pytestmark = pytest.mark.parity
build_schema()
#: What each surface says for the same outcome.
CODES = {
    "no credential": {"rest": "missing_api_key", "graphql": "UNAUTHENTICATED"},
    "missing scope": {"rest": "installation_scope_denied", "graphql": "SCOPE_DENIED"},
    "foreign id": {"graphql": "NOT_FOUND"},
}
#: The parents on the way to a nested field, whose scopes a caller needs as well.
PARENTS = {
    "Installation": ["get_installation"], "Credential": ["get_installation", "list_credentials"],
    "Origin": ["get_installation", "list_origins"], "AuditEvent": ["list_audit_events"],
    "Decision": ["explain_decision"], "Person": ["get_people"], "Membership": ["get_people", "list_memberships"],
    "Work": ["get_works"], "IntegrationDefinition": ["get_integration_definitions"],
    "IntegrationInstance": ["get_integration_instances", "get_integration_definitions"],
    "IntegrationExecutionEvent": ["list_integration_executions"],
    "IntegrationDelivery": ["list_integration_deliveries"],
    "IntegrationInstanceEvent": ["list_integration_instances"],
}  # fmt: skip
#: Answered over a stream, which tests/graphql speaks.
STREAMS = {
    ("Subscription", "auditEvents"), ("Subscription", "integrationInstanceEvents"),
    ("IntegrationInstanceEvent", "instance"), ("Subscription", "integrationExecutionEvents"),
    ("IntegrationExecutionEvent", "instance"), ("Subscription", "integrationDeliveryEvents"),
    ("IntegrationDeliveryEvent", "delivery"),
}  # fmt: skip
#: (version, operation) → where it is.
KEYED = {
    (version, declared(route.opt["operation"]).name): next(iter(route.paths))
    for version, routes in (("v1", V1_ROUTES), ("v2", V2_ROUTES))
    for route in routes
    if "operation" in route.opt
}
#: Operations that name a row, and how each refuses a stranger's.
NAMED = {"check_own_origin": "origin_not_found", "get_person": "not_found", "list_publications_by": "not_found"}


def path_of(version: str, name: str, origin: object) -> str:
    path = KEYED[version, name]
    for part in ("{originId:str}", "{origin_id:str}"):
        path = path.replace(part, str(origin))
    return path.replace("{orcid_id:str}", orcid(1))


def test_every_field_has_its_sample() -> None:
    """A field that serves an operation is in the matrix; a sample of a field that is gone is not."""
    assert set(SAMPLES) == set(FIELD_OPERATIONS) - STREAMS


def codes(answer: dict[str, Any]) -> set[str]:
    """The codes of an answer: of its errors, and of the payload of a mutation."""
    found = {error["extensions"]["code"] for error in answer.get("errors", [])}
    for payload in (answer.get("data") or {}).values():
        problems = payload.get("errors") if isinstance(payload, dict) else None
        found |= {problem["code"].upper() for problem in problems or []}
    return found


class Caller:
    """Asks one sample with different tokens."""

    def __init__(self, world: World, document: str) -> None:
        self.world, self.document = world, document

    async def ask(self, token: str | None) -> dict[str, Any]:
        answer = await self.world.graphql(self.document, token)
        body: dict[str, Any] = answer.json()
        if token is None:
            assert answer.status_code in (200, 401)
        return body

    def token(self, scopes: set[str]) -> str:
        return self.world.token(permissions=sorted(scopes))


def needed(kind: str, operation: Operation) -> set[str]:
    """The scopes that a field needs, with those of its parents."""
    names = [*PARENTS.get(kind, []), operation.name]
    return {str(OPERATIONS[name].scope) for name in names if OPERATIONS[name].scope is not None}


@pytest.mark.parametrize(("kind", "field"), SAMPLES, ids=lambda v: v)
async def test_over_graphql(kind: str, field: str, world: World) -> None:
    """Without a token 401; a stranger finds nothing; without the scope it is denied; with it alone it answers."""
    sample, operation = SAMPLES[kind, field], OPERATIONS[FIELD_OPERATIONS[kind, field]]
    own = await rows(world)
    caller = Caller(world, sample.document % own)
    assert codes(await caller.ask(None)) == {CODES["no credential"]["graphql"]}

    stranger = await World(world.app, world.client).open()
    answer = await caller.ask(stranger.token("admin"))
    said = str(answer)
    assert not [name for name, row in own.items() if name != "digest" and row in said], said
    if sample.lookup and kind == "Mutation":
        assert codes(answer) == {sample.foreign}
    elif sample.lookup:
        assert codes(answer) == set() and set(answer["data"].values()) == {None}
    else:
        assert codes(answer) == set()

    scopes = needed(kind, operation)
    if operation.scope is not None:
        missing = {str(scope) for scope in Scope} - {str(operation.scope)}
        assert codes(await caller.ask(caller.token(missing))) == {CODES["missing scope"]["graphql"]}
    answer = await caller.ask(caller.token(scopes))
    assert codes(answer) <= sample.answers, answer
    assert not sample.lookup or None not in answer["data"].values()


@pytest.mark.parametrize(("version", "name"), KEYED)
async def test_over_rest(version: str, name: str, world: World) -> None:
    """The same for the routes of the contracts, with keys instead of tokens."""
    surface, operation = Surface(world, version), OPERATIONS[name]
    installation = await world.installation(verified=False)
    origin = await world.origin(installation["id"])
    path = path_of(version, name, origin["id"])
    await world.people(person(1, "Belongs to A"), works=made([publication(1)], [work(1, title="Belongs to A")]))
    await surface.refused(401, CODES["no credential"]["rest"], path)

    stranger = await World(world.app, world.client).open()
    answer = await surface.get(path, await stranger.ready_key())
    assert "Belongs to A" not in answer.text and str(world.tenant) not in answer.text
    if operation.name in NAMED:
        assert (answer.status_code, answer.json()["code"]) == (404, NAMED[operation.name])
    else:
        assert answer.status_code == 200

    if operation.scope is not None:
        held = [scope for scope in ALL_SCOPES if scope != str(operation.scope)]
        narrow = str((await world.key(installation["id"], held)).secret)
        await surface.refused(403, CODES["missing scope"]["rest"], path, narrow)
    right = str((await world.key(installation["id"], [str(operation.scope or ALL_SCOPES[0])])).secret)
    await surface.ok(path, right)


async def test_a_token_is_no_key_and_a_key_is_no_token(world: World) -> None:
    """Each surface takes its own kind of credential, and the other's counts as none."""
    key = await world.ready_key()
    answer = await world.client.post("/graphql", json={"query": "{ tenant { id } }"}, headers={"X-API-Key": key})
    assert codes(answer.json()) == {"UNAUTHENTICATED"}
    answer = await world.graphql("{ tenant { id } }", key)
    assert codes(answer.json()) == {"INVALID_TOKEN"}
    await Surface(world).refused(
        401, "missing_api_key", "/people", None, Authorization=f"Bearer {world.token('admin')}"
    )


@pytest.mark.parametrize("name", ["list_people", "list_publications", "list_works", "list_projects"])
async def test_denials_of_both_surfaces_are_alike(name: str, world: World) -> None:
    """What is denied on either surface stands in the one history under the same action, operation and rule."""
    from models.audit import AuditEvent

    narrow = await world.ready_key(["works.read" if name != "list_works" else "people.read"])
    await Surface(world).get(KEYED["v1", name], narrow)
    field = next(field for (kind, field), served in FIELD_OPERATIONS.items() if kind == "Query" and served == name)
    await world.graphql(SAMPLES["Query", field].document, world.token(permissions=["audit.read"]))
    where = (AuditEvent.tenant == world.tenant) & (AuditEvent.outcome == "deny")
    events = await AuditEvent.select().where(where)
    assert {event["surface"] for event in events} == {"rest", "graphql"}
    told = {(e["action"], e["resource"], e["resource_id"], e["rule"], e["expected"]) for e in events}
    assert told == {("auth.scope_denied", "operation", name, "scope", str(OPERATIONS[name].scope))}
