"""The table of scopes and roles, and what a credential may hold."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.auth.principal import shell_principal, system_principal
from app.auth.scopes import CREDENTIAL_SCOPES, ROLES, Scope, credential_scopes, scopes_of
from app.errors import UnknownScope
from app.ids import new_id

KNOWN = sorted(str(scope) for scope in Scope)
CHANGING = {"write", "execute", "request", "approve", "cancel", "rollback", "override", "manage", "register", "admin"}
DERANDOMIZED = settings(derandomize=True, max_examples=200, deadline=None)
names = st.one_of(st.sampled_from(KNOWN), st.sampled_from(sorted(ROLES)), st.text(max_size=12))


def action(scope: str) -> str:
    return scope.partition(".")[2]


def test_scopes_are_written_alike() -> None:
    """`resource.action`, lower case, each once; the member is called as the scope is."""
    assert len(set(KNOWN)) == len(KNOWN) == len(Scope.__members__)
    for name, scope in Scope.__members__.items():
        resource, dot, last = scope.partition(".")
        assert resource and dot and last
        assert scope == scope.lower()
        assert name == f"{resource}_{last}".upper()


def test_the_roles_are_the_seven_of_the_contract() -> None:
    expected = {"viewer", "developer", "release_manager", "approver", "operator", "auditor", "admin"}
    assert set(ROLES) == expected


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_is_a_set_of_scopes_with_the_viewers_in_it(role: str) -> None:
    """Whoever may do something may look at it; no role holds what the table does not."""
    assert ROLES[role] <= set(Scope)
    assert ROLES[role] >= ROLES["viewer"]


def test_a_viewer_changes_nothing() -> None:
    """Only reads, all but the audit history, and nothing that takes data away in bulk."""
    assert {action(scope) for scope in ROLES["viewer"]} == {"read"}
    assert {s for s in Scope if action(s) == "read"} - ROLES["viewer"] == {Scope.AUDIT_READ}


def test_who_reads_the_history_does_not_write_it() -> None:
    """An auditor may look and export, and can change nothing of what is audited."""
    assert not {action(scope) for scope in ROLES["auditor"]} & CHANGING
    assert ROLES["auditor"] >= {Scope.AUDIT_READ, Scope.AUDIT_EXPORT}


def test_duties_are_kept_apart() -> None:
    """Who asks for a promotion does not approve it; only an administrator does both, or has the tenant."""
    for role, scopes in ROLES.items():
        if role != "admin":
            assert not scopes >= {Scope.PROMOTIONS_REQUEST, Scope.PROMOTIONS_APPROVE}, role
            assert Scope.TENANTS_ADMIN not in scopes
            assert Scope.ENVIRONMENTS_FREEZE_OVERRIDE not in scopes
    assert ROLES["admin"] == frozenset(Scope)


def test_every_scope_can_be_had() -> None:
    assert frozenset().union(*ROLES.values()) == frozenset(Scope)


@pytest.mark.parametrize("pair", list(combinations(sorted(ROLES), 2)))
def test_roles_add_up(pair: tuple[str, str]) -> None:
    """Two roles give what each gives, no more and no less, in whichever order."""
    expected = {str(scope) for role in pair for scope in ROLES[role]}
    assert scopes_of(pair, ()) == scopes_of(reversed(pair), ()) == expected


@DERANDOMIZED
@given(st.lists(names), st.lists(names))
def test_nothing_but_the_table_is_granted(roles: list[str], permissions: list[str]) -> None:
    """Whatever the words are, what comes out is of the table, and from the words that name it."""
    granted = scopes_of(roles, permissions)
    by_role = {str(scope) for role in roles if role in ROLES for scope in ROLES[role]}
    assert {scope.partition("@")[0] for scope in granted} <= set(KNOWN)
    assert granted <= by_role | set(permissions)
    assert granted >= by_role | (set(permissions) & set(KNOWN))


def test_a_scope_for_one_environment_is_not_the_whole_scope() -> None:
    """`promotions.approve@prod` is kept as it is, and does not stand for `promotions.approve`."""
    assert scopes_of((), ["promotions.approve@prod", "people.fly@prod"]) == {"promotions.approve@prod"}


def test_the_server_itself_holds_every_scope() -> None:
    for caller in (shell_principal(new_id(), "root"), system_principal(new_id(), "seal")):
        assert caller.scopes == set(KNOWN)
        assert all(caller.holds(scope) for scope in KNOWN)


def test_a_credential_only_reads() -> None:
    """What a plugin on a web site holds is what the viewer sees, and no more."""
    assert set(CREDENTIAL_SCOPES) <= ROLES["viewer"]


@DERANDOMIZED
@given(st.lists(st.sampled_from([str(scope) for scope in CREDENTIAL_SCOPES]), min_size=1))
def test_a_credentials_scopes_stand_in_the_tables_order(asked: list[str]) -> None:
    found = credential_scopes(asked)
    assert found == tuple(str(scope) for scope in CREDENTIAL_SCOPES if scope in asked)
    assert credential_scopes(reversed(asked)) == credential_scopes(found) == found


@DERANDOMIZED
@given(st.lists(names))
def test_a_credential_is_not_given_part_of_what_was_asked(asked: list[str]) -> None:
    """One stranger refuses the whole; each is named, beside the closed list."""
    strangers = sorted(set(asked) - {str(scope) for scope in CREDENTIAL_SCOPES})
    if asked and not strangers:
        assert set(credential_scopes(asked)) == set(asked)
        return
    with pytest.raises(UnknownScope) as refused:
        credential_scopes(asked)
    assert refused.value.details == {"unknown": strangers, "allowed": [str(s) for s in CREDENTIAL_SCOPES]}
    assert all(name in refused.value.message for name in strangers)
