"""`dovetail token`: bearer tokens of the built-in issuer."""

from typing import TYPE_CHECKING, Any

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import DURATION
from app.cli.output import emit
from app.cli.sessions import in_tenant, os_user

if TYPE_CHECKING:
    from services.context import Context

ROLES = ("viewer", "developer", "release_manager", "approver", "operator", "auditor", "admin")
SHORTEST_SECONDS, LONGEST_SECONDS = 60, 366 * 86_400


@click.group()
def token() -> None:
    """Issue bearer tokens for people and services."""


@token.command("issue")
@click.option("--role", "roles", type=click.Choice(ROLES), multiple=True, help="A role; may be given several times.")
@click.option("--permission", "permissions", multiple=True, help="A single scope such as people.read.")
@click.option("--user", help="Who the token is for; default the name of the operating system's user.")
@click.option("--ttl", type=DURATION, help="How long it lives, like 12h; default DOVETAIL_TOKEN_TTL_SECONDS.")
@click.option("--tier", type=click.Choice(["standard", "premium"]), default="standard", show_default=True)
@in_tenant
async def issue(context: "Context", **asked: Any) -> None:
    """Issue a token; it is printed alone, so that `TOKEN=$(dovetail token issue --role viewer)` works."""
    from app.auth.signing import TokenRequest, issue_token
    from app.clock import iso

    runtime = context.runtime
    if not asked["roles"] and not asked["permissions"]:
        text = f"A token needs a role or a permission: --role {'|'.join(ROLES)}, or --permission SCOPE."
        raise CommandFailed("role_needed", text)
    _check_permissions(asked["permissions"])
    seconds = _checked_ttl(asked["ttl"] or runtime.settings.token_ttl_seconds)
    request = TokenRequest(
        tenant=context.tenant,
        user_id=asked["user"] or os_user(),
        roles=asked["roles"],
        permissions=asked["permissions"],
        tier=asked["tier"],
        ttl_seconds=seconds,
    )
    text = issue_token(runtime.signing_key, runtime.settings, runtime.clock, request)
    told = {"user": request.user_id, "roles": asked["roles"], "permissions": asked["permissions"], "tier": request.tier}
    expires = iso(context.now // 1_000 * 1_000 + seconds * 1_000)
    emit({"token": text, "tenant": context.tenant, **told, "expires_at": expires}, text)


def _check_permissions(permissions: tuple[str, ...]) -> None:
    from app.auth.scopes import scopes_of

    unknown = [name for name in permissions if not scopes_of((), [name])]
    if unknown:
        text = f"There is no permission {', '.join(unknown)}; permissions are scopes such as people.read or audit.read."
        raise CommandFailed("unknown_scope", text, unknown=unknown)


def _checked_ttl(seconds: int) -> int:
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise CommandFailed("ttl_out_of_range", "--ttl must be from 60s to 366d.", seconds=seconds)
    return seconds
