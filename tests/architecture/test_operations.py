"""The table of operations: complete on both surfaces but for what is waived, sane in itself."""

import ast
from typing import Any

import pytest

import app.asgi  # noqa: F401 - declares every operation
from app.auth.scopes import CREDENTIAL_SCOPES, ROLES, Scope, scopes_of
from app.errors import REGISTRY
from graph.requires import FIELD_OPERATIONS
from graph.schema import DOMAINS, build_schema
from rest.integrations_v1.routes import ROUTES as V1_ROUTES
from rest.integrations_v2.routes import ROUTES as V2_ROUTES
from rest.platform_v1.routes import ROUTES as PLATFORM_ROUTES
from services.operations import OPERATIONS, Operation, declared
from tests.architecture.code import ROOT, imported, sources, tree
from tests.parity.waivers import WAIVERS

pytestmark = pytest.mark.architecture
#: Verbs that an operation's name may begin with: one list, so that the same deed has the same word everywhere.
VERBS = {
    "add", "archive", "check", "complete", "create", "delete", "deprecate", "diff", "disable", "disconnect", "discover",
    "enable", "end", "execute", "explain", "export", "get", "import", "issue", "lint", "list", "publish", "receive",
    "register", "rehearse", "remove", "resync", "review", "revoke", "rotate", "set", "start", "sync", "test", "update",
    "verify",
}  # fmt: skip
CHANGES = VERBS - {"check", "diff", "discover", "explain", "export", "get", "lint", "list", "rehearse", "verify"}


@pytest.fixture(scope="module")
def served() -> dict[str, set[str]]:
    """Surface → the operations that it serves."""
    build_schema()
    routes = (*V1_ROUTES, *V2_ROUTES, *PLATFORM_ROUTES)
    over_rest = {declared(route.opt["operation"]).name for route in routes if "operation" in route.opt}
    return {"rest": over_rest, "graphql": set(FIELD_OPERATIONS.values())}


@pytest.mark.parametrize("surface", ["rest", "graphql"])
def test_every_operation_is_on_every_surface_or_waived(surface: str, served: dict[str, set[str]]) -> None:
    """What is written once is offered twice; where it is not, a reason stands in the one list."""
    waived = {name for where, name in WAIVERS if where == surface}
    assert sorted(set(OPERATIONS) - served[surface] - waived) == []


@pytest.mark.parametrize(("surface", "name"), WAIVERS, ids=lambda v: v)
def test_no_waiver_is_stale(surface: str, name: str, served: dict[str, set[str]]) -> None:
    """A waiver for an operation that is served, or is no longer there, hides the next gap."""
    assert name in OPERATIONS
    assert name not in served[surface]
    assert len(WAIVERS[surface, name]) > 20


def test_surfaces_serve_only_operations(served: dict[str, set[str]]) -> None:
    """What is not declared has no scope and no audit."""
    assert served["rest"] | served["graphql"] <= set(OPERATIONS)


@pytest.mark.parametrize("domain", [module.__name__.rpartition(".")[2] for module in DOMAINS])
def test_a_surface_domain_has_a_service(domain: str) -> None:
    """A GraphQL domain calls operations of the services; one that does not answers out of itself."""
    own = [p for p in sources("graphql/graph") if p.parts[2] in (domain, f"{domain}.py")]
    names = {name for path in own for name in imported(path) if name.startswith("services.")}
    assert {name for name in names if name != "services.context"}, f"{domain} calls no service"


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_an_operation_is_well_declared(operation: Operation) -> None:
    """A verb of the list, a sentence, known error codes; what changes something names its audit action."""
    verb = operation.name.partition("_")[0]
    assert verb in VERBS
    assert operation.summary.endswith(".") and operation.summary[0].isupper()
    assert {error.code for error in operation.raises} <= set(REGISTRY)
    assert bool(operation.writes) == bool(operation.audit)
    assert verb not in CHANGES or operation.writes, f"{operation.name} changes something and is not audited"
    if operation.audit:
        resource, _, past = operation.audit.partition(".")
        assert resource and past, operation.audit


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_a_scope_fits_its_operation(operation: Operation) -> None:
    """Reading needs a reading scope and changing a changing one; without a scope only one's own is told."""
    own = {"get_own_installation", "check_own_origin", "get_tenant"}
    # Its sender holds no token: the signature is looked at by the operation itself.
    own.add("receive_integration_webhook")
    if operation.scope is None:
        assert operation.name in own
    elif operation.writes:
        assert operation.scope.endswith((".write", ".execute", ".export", ".admin"))
    else:
        # What is read elsewhere, with the credentials that lie here, is asked of others.
        assert operation.scope.endswith((".read", ".execute"))


def test_operations_return_nothing_of_another_floor() -> None:
    """Services know neither a framework nor a surface; the domain can be called by a command as well."""
    for path in sources("services"):
        assert not [n for n in imported(path) if n.split(".")[0] in ("litestar", "strawberry", "graph", "rest")], path


# --- scopes and roles ---------------------------------------------------------------------------------


def test_scopes_are_resource_and_action() -> None:
    """`resource.action`, lower case, no two alike."""
    for scope in Scope:
        resource, _, action = str(scope).partition(".")
        assert resource.isalpha() and resource.islower() and action.replace("_", "").isalpha() and action.islower()


def test_roles_hold_each_other() -> None:
    """Every role reads what a viewer reads; admin holds all; nobody but operator, auditor and admin reads the audit."""
    for name, scopes in ROLES.items():
        assert scopes <= set(Scope)
        assert ROLES["viewer"] <= scopes
        assert (Scope.AUDIT_READ in scopes) == (name in ("operator", "auditor", "admin"))
    assert ROLES["admin"] == frozenset(Scope)
    assert not [scope for scope in ROLES["viewer"] if not scope.endswith(".read")]
    assert [name for name in ROLES if Scope.TENANTS_ADMIN in ROLES[name]] == ["admin"]


def test_every_scope_of_an_operation_is_in_a_role_below_admin() -> None:
    """A scope that only admin holds cannot be given away narrowly; the tenants' is the one that must be so."""
    below = frozenset(scope for name, scopes in ROLES.items() if name != "admin" for scope in scopes)
    needed = {operation.scope for operation in OPERATIONS.values() if operation.scope is not None}
    assert needed - below == {Scope.TENANTS_ADMIN}


def test_a_credential_reads_and_nothing_else() -> None:
    """Keys of plugins lie on customers' servers: no scope that changes anything can be put in one."""
    assert {str(scope) for scope in CREDENTIAL_SCOPES} == {
        "people.read", "publications.read", "works.read", "projects.read",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("roles", "permissions", "expected"),
    [
        (["nobody"], [], set()),
        ([], ["people.read", "people.readx", "*", "people.*", ""], {"people.read"}),
        ([], ["promotions.approve@prod"], {"promotions.approve@prod"}),
    ],
)
def test_unknown_names_give_nothing(roles: Any, permissions: Any, expected: set[str]) -> None:
    """A role or permission that is not in the table is no wildcard."""
    assert scopes_of(roles, permissions) == expected


#: Who may ask `holds`, and what for.
ASKERS = {
    "services/operations.py": "the one check of every operation",
    "graphql/graph/admission.py": "an admin may run documents that are not in the manifest",
    "graphql/graph/origins/types.py": "a challenge is shown to those who could change the origin, null to others",
}


def test_nothing_else_checks_scopes() -> None:
    """`holds` is asked by the operation layer: a second check of a call would say something else one day."""
    askers = {
        path.as_posix()
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "holds"
    }
    assert askers == set(ASKERS)


def test_the_list_of_waivers_is_one() -> None:
    """Exceptions in two places are exceptions that nobody knows."""
    found = [p for p in (ROOT / "tests").rglob("*.py") if "WAIVERS" in p.read_text(encoding="utf-8")]
    assert {p.name for p in found} == {"waivers.py", "test_operations.py"}
