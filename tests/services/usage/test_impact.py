"""Who is hit by a change: used, not seen, unknown; and never "unused" where it is not known."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import msgspec
import pytest
from graphql import ObjectTypeDefinitionNode, parse, print_ast

from app.clock import DAY, SettableClock
from app.errors import ScopeDenied, ValidationFailed
from graph.schema import sdl
from models.operations import RecordingSpan
from rest.contracts.documents import snapshot
from rest.contracts.registry import APIS
from services.contracts.findings import Finding
from services.contracts.impact import ImpactReport, get_contract_impact
from services.contracts.reading import ContractDocument
from services.contracts.touches import GraphqlTouches, RestTouches, Touch
from services.contracts.version_uses import list_version_uses
from services.operations import declared
from services.usage.elements import request_elements
from services.usage.recording import Recording
from tests.world import World

V1: dict[str, Any] = json.loads(snapshot("integrations", "v1"))
Change = Callable[[dict[str, Any]], object]


def document(openapi: dict[str, Any]) -> ContractDocument:
    return ContractDocument("openapi", "v1.json", openapi=openapi)


def schema(text: str) -> ContractDocument:
    return ContractDocument("sdl", "schema.graphql", sdl=text)


def changed(change: Change) -> ContractDocument:
    found = copy.deepcopy(V1)
    change(found)
    return document(found)


def people(found: dict[str, Any]) -> dict[str, Any]:
    return found["paths"]["/people"]["get"]  # type: ignore[no-any-return]


async def impact(world: World, change: Change, **given: Any) -> ImpactReport:
    return await get_contract_impact(world.context(), document(V1), changed(change), 30, **given)


async def recorded(world: World) -> None:
    """A ledger that has recorded for longer than the tenant exists, and has written all of it."""
    await RecordingSpan.delete(force=True)
    await world.runtime.usage.beat()
    await RecordingSpan.update({RecordingSpan.started_at: 0}, force=True)


def states(report: ImpactReport) -> dict[tuple[str, str], str]:
    return {(found.finding.operation, found.finding.where): str(found.state) for found in report.impacts}


async def asked(world: World, *paths: str) -> dict[str, Any]:
    installation = await world.installation()
    key = (await world.key(installation["id"])).secret
    for path in paths:
        assert (await world.get(path, key)).status_code == 200
    await recorded(world)
    return installation


async def test_a_parameter_that_was_sent_is_used(world: World) -> None:
    """By whom, how often, when last; who asked without it is not among them."""
    installation = await asked(world, "/people?q=a", "/people?q=b", "/people")
    other = await asked(world, "/people?page=1")
    report = await impact(world, lambda v1: people(v1)["parameters"].pop())
    [found] = report.impacts
    assert (found.finding.rule, str(found.state), found.reason) == ("parameter-removed", "used", "")
    [caller] = found.callers
    assert (caller.client, caller.kind, caller.requests, caller.name) == (
        str(installation["id"]), "installation", 2, "A site",
    )  # fmt: skip
    assert caller.last_on == report.window.until and not report.is_safe
    assert str(other["id"]) not in {caller.client for caller in found.callers}


async def test_a_parameter_that_nobody_sent_is_not_seen(world: World) -> None:
    """Where the whole window was recorded."""
    await asked(world, "/people")
    report = await impact(world, lambda v1: people(v1)["parameters"].pop())
    assert [str(found.state) for found in report.impacts] == ["not_seen"]
    assert report.is_safe and report.window.missing == () and (report.api, report.version) == ("integrations", "v1")


@pytest.mark.parametrize("gap", ["began later", "never", "killed", "off"])
async def test_what_was_not_recorded_is_unknown(gap: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap in the window is never taken for silence, and the reason says what is missing."""
    await asked(world, "/people")
    now = world.runtime.clock.now_ms()

    async def nothing(*_: Any, **__: Any) -> None:
        """The server that runs the tests says nothing of itself meanwhile."""

    monkeypatch.setattr(Recording, "reach", nothing)
    await RecordingSpan.delete(force=True)
    spans: dict[str, dict[str, Any]] = {
        "began later": {"started_at": now + DAY, "reached_at": now + DAY},
        "killed": {"started_at": 0, "reached_at": now + DAY, "closed": False},
        "off": {"started_at": 0, "reached_at": now, "closed": True, "complete": False},
    }
    if gap in spans:
        await RecordingSpan.insert(RecordingSpan(**spans[gap]))
    monkeypatch.setattr(world.runtime, "clock", SettableClock(now + 2 * DAY))
    report = await impact(world, lambda v1: people(v1)["parameters"].pop())
    [found] = report.impacts
    assert str(found.state) == "unknown" and found.reason == " ".join(report.window.missing) != ""
    assert not report.is_safe


async def test_what_is_read_of_an_answer_cannot_be_seen(world: World) -> None:
    """Every caller of the operation is named, as one that may be hit; without callers it is not seen."""

    def drop(v1: dict[str, Any]) -> None:
        for name in ("Person", "Work"):
            found = v1["components"]["schemas"][name]
            gone = "biography" if name == "Person" else "url"
            del found["properties"][gone]
            found["required"].remove(gone)

    installation = await asked(world, "/people", "/people")
    report = await impact(world, drop)
    told = {found.finding.operation: found for found in report.impacts}
    assert (str(told["GET /people"].state), told["GET /people"].callers[0].requests) == ("unknown", 2)
    assert "which fields" in told["GET /people"].reason
    assert told["GET /people"].callers[0].client == str(installation["id"])
    assert str(told["GET /works"].state) == "not_seen"


async def test_what_becomes_required_hits_who_leaves_it_out(world: World) -> None:
    """Requests that sent it are taken off; a new required parameter hits everybody."""

    def demand(v1: dict[str, Any]) -> None:
        people(v1)["parameters"][0]["required"] = True
        new = {"in": "query", "name": "new", "required": True, "schema": {"type": "string"}}
        v1["paths"]["/works"]["get"]["parameters"].append(new)

    always = await asked(world, "/people?page=1")
    sometimes = await asked(world, "/people?page=1", "/people", "/works?page=1")
    report = await impact(world, demand)
    told = {found.finding.operation: found for found in report.impacts}
    assert [(caller.client, caller.requests) for caller in told["GET /people"].callers] == [(str(sometimes["id"]), 1)]
    assert [str(found.state) for found in told.values()] == ["used", "used"]
    assert str(always["id"]) not in str(report.impacts)


async def test_the_other_changes_of_an_operation(world: World) -> None:
    """A removed operation is used by its callers; bounds, scopes and headers may or may not hit them."""

    def change(v1: dict[str, Any]) -> None:
        del v1["paths"]["/people"], v1["paths"]["/projects"]
        works = v1["paths"]["/works"]["get"]
        works["parameters"][1]["schema"]["maximum"] = 50
        works["security"] = [{"ApiKey": ["people.read"]}]
        works["parameters"].append({"in": "header", "name": "X-New", "required": True, "schema": {"type": "string"}})

    await asked(world, "/people", "/works?per_page=9")
    report = await impact(world, change)
    assert states(report) == {
        ("GET /people", ""): "used", ("GET /projects", ""): "not_seen",
        ("GET /works", "parameters.query.per_page"): "unknown", ("GET /works", "security"): "unknown",
        ("GET /works", "parameters.header.X-New"): "used",
    }  # fmt: skip


async def test_a_shared_change_hits_the_callers_of_each_operation(world: World) -> None:
    """One cause in many operations: their callers are told once, with all their requests."""

    def change(v1: dict[str, Any]) -> None:
        v1["components"]["schemas"]["ErrorBody"]["properties"]["error"]["type"] = "integer"

    await asked(world, "/people", "/works", "/works")
    [found] = (await impact(world, change)).impacts
    assert (str(found.state), [caller.requests for caller in found.callers]) == ("unknown", [3])


def without_field(text: str, kind: str, name: str) -> str:
    """SDL with one field taken out of a type."""
    parts = []
    for node in parse(text).definitions:
        if isinstance(node, ObjectTypeDefinitionNode) and node.name.value == kind:
            [field] = [field for field in node.fields or () if field.name.value == name]
            parts.append(print_ast(node).replace(print_ast(field).replace("\n", "\n  "), ""))
        else:
            parts.append(print_ast(node))
    return "\n".join(parts)


async def test_fields_of_the_control_plane(world: World) -> None:
    """What a document selects is used; what it does not select is not seen; what may have stood for it is in doubt."""
    query = '{ people(first: 1) { nodes { orcidId name } } node(id: "x") { id } }'
    await world.graphql(query, world.token("admin", user_id="grace"))
    await recorded(world)
    text = sdl()
    revision = without_field(text, "Person", "orcidId")
    report = await get_contract_impact(world.context(), schema(text), schema(revision), 30)
    found = {each.finding.where: each for each in report.impacts}
    assert report.api == "control-plane"
    used = [where for where, each in found.items() if str(each.state) == "used"]
    assert used == ["Person.orcidId"]
    assert [(c.client, c.kind) for c in found["Person.orcidId"].callers] == [("grace", "user")]


def _finding(where: str, rule: str) -> Finding:
    return Finding(rule=rule, verdict="breaking", category="wire", direction="request", effect="narrows",  # type: ignore[arg-type]
                   operation=where.split("(")[0], where=where, message="")  # fmt: skip


SDL = """type Query { pet(kind: Kind, filter: Filter): Animal  cats: [Cat]  node: Node }
interface Node { id: ID! }  type Cat implements Node { id: ID! name: String } type Dog { name: String }
union Animal = Cat | Dog  input Filter { name: String } enum Kind { CAT DOG }"""


@pytest.mark.parametrize(
    ("where", "rule", "expected"),
    [
        ("Cat.name", "field-removed", [("Cat.name", "exact", True)]),
        ("Cat.id", "field-removed", [("Cat.id", "exact", True), ("Node.id", "exact", False)]),
        ("Query.pet(kind:)", "argument-removed", [("Query.pet(kind:)", "exact", True)]),
        ("Query.pet(kind:)", "argument-type-changed", [("Query.pet(kind:)", "exact", False)]),
        ("Query.pet(more:)", "required-argument-added", [("Query.pet", "exact", True)]),
        ("Filter.more", "required-input-field-added",
         [("Filter.", "prefix", True), ("Query.pet(filter:)", "exact", False)]),
        ("Kind.DOG", "enum-value-removed", [("Kind.DOG", "exact", True)]),
        ("Dog", "type-removed", [("Dog.", "prefix", True), ("Query.pet", "exact", False)]),
        ("Cat", "interface-removed",
         [("Cat.", "prefix", True), ("Query.cats", "exact", False), ("Query.node", "exact", False),
          ("Query.pet", "exact", False)]),
    ],
)  # fmt: skip
def test_what_a_change_of_a_schema_touches(where: str, rule: str, expected: list[tuple[str, str, bool]]) -> None:
    """The coordinate itself, and with a doubt what a document may have used in its place."""
    found = GraphqlTouches(SDL).of(_finding(where, rule))
    assert found is not None
    assert [(t.element, t.how, not t.doubt) for t in found[:1]] == expected[:1]
    assert sorted((t.element, t.how, not t.doubt) for t in found[1:]) == expected[1:]


def test_what_is_not_recorded_is_said() -> None:
    """Directives and operations that the base does not have touch no row; the whole document touches all."""
    assert GraphqlTouches(SDL).of(_finding("@tag", "directive-removed")) is None
    assert RestTouches(V1).of(_finding("GET /nothing", "operation-removed")) is None
    whole = RestTouches(V1).of(_finding("", "server-removed"))
    assert whole is not None and [(touch.operation, touch.element) for touch in whole] == [(None, "")]
    assert isinstance(whole[0], Touch) and whole[0].doubt


async def test_another_tenants_use_is_told_to_administrators_alone(world: World) -> None:
    """A tenant sees its own callers; over all of them needs `tenants.admin`, and its denial is recorded."""
    await asked(world, "/people?q=a")
    stranger = await World(world.app, world.client).open()
    await recorded(stranger)
    assert states(await impact(stranger, lambda v1: people(v1)["parameters"].pop())) == {
        ("GET /people", "parameters.query.q"): "not_seen"
    }
    everywhere = await impact(stranger, lambda v1: people(v1)["parameters"].pop(), all_tenants=True)
    assert world.tenant in {caller.tenant for caller in everywhere.impacts[0].callers}
    context = stranger.context()
    context.principal = msgspec.structs.replace(context.principal, scopes=frozenset({"installations.read"}))
    for ask in (
        get_contract_impact(context, document(V1), changed(people), 30, all_tenants=True),
        list_version_uses(context, "integrations", 30, all_tenants=True),
    ):
        with pytest.raises(ScopeDenied, match=r"tenants\.admin"):
            await ask


async def test_a_foreign_document_is_unknown(world: World) -> None:
    """A contract that this server does not serve has no ledger here."""

    def elsewhere(v1: dict[str, Any]) -> dict[str, Any]:
        return copy.deepcopy(v1) | {"servers": [{"url": "https://example.org/other"}]}

    base, revision = elsewhere(V1), elsewhere(V1)
    del revision["paths"]["/people"]
    report = await get_contract_impact(world.context(), document(base), document(revision), 30)
    assert [str(found.state) for found in report.impacts] == ["unknown"]
    assert "does not serve" in report.impacts[0].reason


@pytest.mark.parametrize("days", [0, -1, 3_651, 10**30])
async def test_a_window_has_bounds(days: int, world: World) -> None:
    """Days out of range are refused by name."""
    with pytest.raises(ValidationFailed, match="days"):
        await get_contract_impact(world.context(), document(V1), document(V1), days)


async def test_documents_of_two_kinds_are_refused(world: World) -> None:
    with pytest.raises(ValidationFailed, match="same kind"):
        await get_contract_impact(world.context(), document(V1), schema(sdl()), 30)


async def test_the_use_of_versions(world: World) -> None:
    """Requests, callers and last day of each version, operation by operation."""
    await asked(world, "/people", "/people?q=a", "/works")
    await asked(world, "/people")
    report = await list_version_uses(world.context(), "integrations", 30)
    found = {each.version: each for each in report.versions}["v1"]
    assert (found.requests, found.callers, found.last_on) == (4, 2, report.window.until)
    assert {(o.name, o.requests, o.callers) for o in found.operations} == {("list_people", 3, 2), ("list_works", 1, 1)}
    await world.graphql("{ people(first: 1) { nodes { id } } }", world.token("admin"))
    await world.runtime.usage.flush()
    [plane] = (await list_version_uses(world.context(), "control-plane", 30)).versions
    assert [(o.name, o.requests) for o in plane.operations] == [("Query.people", 1)]
    assert (plane.version, plane.requests, plane.callers) == ("", 1, 1)
    with pytest.raises(ValidationFailed, match="must be one of integrations"):
        await list_version_uses(world.context(), "nothing", 30)


@pytest.mark.parametrize(("api", "version"), [(name, version) for name, api in APIS.items() for version in api.names])
def test_what_a_version_notes_is_in_its_document(api: str, version: str) -> None:
    """Uses are noted under the operation ids of the document, else nobody would find them."""
    routes = import_module(f"{APIS[api].versions[version].package}.routes").ROUTES
    noted = {_noted(route) for route in routes if "operation" in route.opt}
    assert noted and noted <= set(request_elements(json.loads(snapshot(api, version))))


def _noted(route: Any) -> str:
    """The consumers' surfaces note an operation's name unless the route has another, the platform the route's."""
    named = route.operation_id if "body" in route.opt else declared(route.opt["operation"]).name
    return str(route.opt.get("operation_id", named))
