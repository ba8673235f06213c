"""Every scope and every role, in one table. Scopes are `resource.action`, lower case."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from app.errors import UnknownScope


class Scope(StrEnum):
    PEOPLE_READ = "people.read"
    PEOPLE_WRITE = "people.write"
    PUBLICATIONS_READ = "publications.read"
    PUBLICATIONS_WRITE = "publications.write"
    WORKS_READ = "works.read"
    WORKS_WRITE = "works.write"
    PROJECTS_READ = "projects.read"
    PROJECTS_WRITE = "projects.write"
    INSTALLATIONS_READ = "installations.read"
    INSTALLATIONS_WRITE = "installations.write"
    CREDENTIALS_WRITE = "credentials.write"
    AUDIT_READ = "audit.read"
    AUDIT_EXPORT = "audit.export"
    INTEGRATIONS_READ = "integrations.read"
    INTEGRATIONS_WRITE = "integrations.write"
    INTEGRATIONS_EXECUTE = "integrations.execute"
    ENVIRONMENTS_READ = "environments.read"
    ENVIRONMENTS_WRITE = "environments.write"
    ENVIRONMENTS_FREEZE = "environments.freeze"
    ENVIRONMENTS_FREEZE_OVERRIDE = "environments.freeze_override"
    RELEASES_READ = "releases.read"
    RELEASES_WRITE = "releases.write"
    WORKFLOWS_READ = "workflows.read"
    WORKFLOWS_WRITE = "workflows.write"
    WORKFLOWS_EXECUTE = "workflows.execute"
    PROMOTIONS_READ = "promotions.read"
    PROMOTIONS_REQUEST = "promotions.request"
    PROMOTIONS_APPROVE = "promotions.approve"
    PROMOTIONS_CANCEL = "promotions.cancel"
    DEPLOYMENTS_READ = "deployments.read"
    DEPLOYMENTS_ROLLBACK = "deployments.rollback"
    PROGRESSIVE_READ = "progressive.read"
    PROGRESSIVE_WRITE = "progressive.write"
    PROGRESSIVE_OVERRIDE = "progressive.override"
    AGENTS_READ = "agents.read"
    AGENTS_REGISTER = "agents.register"
    EVIDENCE_READ = "evidence.read"
    EVIDENCE_EXPORT = "evidence.export"
    PLUGINS_READ = "plugins.read"
    PLUGINS_MANAGE = "plugins.manage"
    TENANTS_ADMIN = "tenants.admin"


#: What an installation credential may hold: reading the consumer surface, and nothing else.
CREDENTIAL_SCOPES: Final = (Scope.PEOPLE_READ, Scope.PUBLICATIONS_READ, Scope.WORKS_READ, Scope.PROJECTS_READ)

# Who reads may read everything but the audit history; that is the auditor's.
_READS = frozenset(s for s in Scope if s.endswith(".read") and s is not Scope.AUDIT_READ)
_DEVELOPER = _READS | {
    Scope.INTEGRATIONS_WRITE,
    Scope.INTEGRATIONS_EXECUTE,
    Scope.RELEASES_WRITE,
    Scope.WORKFLOWS_WRITE,
    Scope.WORKFLOWS_EXECUTE,
    Scope.PROMOTIONS_REQUEST,
}
_OPERATOR = _READS | {
    Scope.AUDIT_READ,
    Scope.INSTALLATIONS_WRITE,
    Scope.CREDENTIALS_WRITE,
    Scope.PEOPLE_WRITE,
    Scope.PUBLICATIONS_WRITE,
    Scope.WORKS_WRITE,
    Scope.PROJECTS_WRITE,
    Scope.INTEGRATIONS_WRITE,
    Scope.INTEGRATIONS_EXECUTE,
    Scope.ENVIRONMENTS_WRITE,
    Scope.ENVIRONMENTS_FREEZE,
    Scope.WORKFLOWS_EXECUTE,
    Scope.DEPLOYMENTS_ROLLBACK,
    Scope.PROGRESSIVE_WRITE,
    Scope.AGENTS_REGISTER,
}

ROLES: Final[dict[str, frozenset[Scope]]] = {
    "viewer": _READS,
    "developer": _DEVELOPER,
    "release_manager": _DEVELOPER
    | {Scope.ENVIRONMENTS_WRITE, Scope.PROMOTIONS_CANCEL, Scope.DEPLOYMENTS_ROLLBACK, Scope.PROGRESSIVE_WRITE},
    "approver": _READS | {Scope.PROMOTIONS_APPROVE},
    "operator": _OPERATOR,
    "auditor": _READS | {Scope.AUDIT_READ, Scope.AUDIT_EXPORT, Scope.EVIDENCE_EXPORT},
    "admin": frozenset(Scope),
}

_KNOWN = frozenset(str(s) for s in Scope)


def scopes_of(roles: Iterable[str], permissions: Iterable[str]) -> frozenset[str]:
    """The scopes that roles and single permissions give together; unknown names give nothing."""
    granted = {str(scope) for role in roles for scope in ROLES.get(role, ())}
    return frozenset(granted | {p for p in permissions if p.partition("@")[0] in _KNOWN})


def credential_scopes(asked: Iterable[str]) -> tuple[str, ...]:
    """The scopes for a credential, in the table's order, without repeats.

    Raises UnknownScope, naming each stranger and the closed list, or where none is asked for.
    """
    wanted = set(asked)
    allowed = [str(scope) for scope in CREDENTIAL_SCOPES]
    unknown = sorted(wanted - set(allowed))
    if unknown or not wanted:
        problem = f"{', '.join(unknown)} cannot be granted" if unknown else "at least one scope is needed"
        raise UnknownScope(f"{problem}; a credential can hold {', '.join(allowed)}", unknown=unknown, allowed=allowed)
    return tuple(scope for scope in allowed if scope in wanted)
