"""Who is asking: the same shape for a key, a token, and (later) a client certificate."""

from typing import Literal
from uuid import UUID

import msgspec

from app.auth.scopes import ROLES

Kind = Literal["user", "service", "installation", "agent", "operator"]
Tier = Literal["standard", "premium"]

#: The tenant under which events are kept that belong to no tenant.
NO_TENANT = UUID(int=0)


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated caller; the tenant comes from the credential alone."""

    tenant: UUID
    subject: str
    kind: Kind
    scopes: frozenset[str]
    authn: Literal["api_key", "bearer", "certificate", "shell", "system", "signature"]
    tier: Tier = "standard"
    name: str | None = None
    kid: str | None = None
    installation: UUID | None = None
    roles: tuple[str, ...] = ()
    #: The instant (ms) from which the credential is refused; None where it does not end by itself.
    until: int | None = None

    def holds(self, scope: str) -> bool:
        return scope in self.scopes


def shell_principal(tenant: UUID, name: str) -> Principal:
    """Whoever runs the command on the server's own machine: the files are theirs, so is every scope."""
    scopes = frozenset(str(s) for s in ROLES["admin"])
    return Principal(tenant=tenant, subject=f"shell:{name}", kind="operator", scopes=scopes, authn="shell", name=name)


def system_principal(tenant: UUID, duty: str) -> Principal:
    """A background duty of this server."""
    scopes = frozenset(str(s) for s in ROLES["admin"])
    return Principal(tenant=tenant, subject=f"system:{duty}", kind="service", scopes=scopes, authn="system", name=duty)


def webhook_principal(tenant: UUID, instance: UUID | None) -> Principal:
    """Whoever sends webhooks to an instance; None where the endpoint is not known. It holds no scope."""
    subject = "webhook" if instance is None else f"webhook:{instance}"
    return Principal(tenant=tenant, subject=subject, kind="service", scopes=frozenset(), authn="signature")
