"""`dovetail token issue`: the claims that were asked for, signed by this server's own key."""

from typing import Any
from uuid import UUID

import pytest
from joserfc import jwt

from app.auth.scopes import ROLES
from app.auth.signing import signing_key
from app.auth.tokens import BuiltInKeys, TokenVerifier
from app.cli import tokens
from app.clock import SYSTEM_CLOCK
from app.settings import load_settings
from tests.cli.conftest import Cli


def claims(cli: Cli, token: str) -> dict[str, Any]:
    key = signing_key(cli.home / "keys")
    return jwt.decode(token, key, algorithms=["EdDSA"]).claims


def test_the_claims_are_those_of_the_contract(demo_cli: Cli) -> None:
    asked = ("--role", "viewer", "--role", "auditor", "--permission", "people.write", "--user", "ada", "--ttl", "90m")
    found = demo_cli.ok("token", "issue", *asked, "--tier", "premium")
    said = claims(demo_cli, found["token"])
    assert said["user_id"] == "ada"
    assert said["roles"] == ["viewer", "auditor"]
    assert said["permissions"] == ["people.write"]
    assert said["tier"] == "premium"
    assert UUID(said["tenant_id"]) == UUID(found["tenant"])
    assert said["exp"] - said["iat"] == 90 * 60
    assert {"iss", "aud", "jti"} <= set(said)


async def test_the_server_accepts_it(demo_cli: Cli) -> None:
    text = demo_cli_token(demo_cli)
    settings = load_settings({}, home=str(demo_cli.home))
    key = signing_key(demo_cli.home / "keys")
    principal = await TokenVerifier([BuiltInKeys(key, settings)], SYSTEM_CLOCK).verify(text)
    assert principal.roles == ("viewer",)
    assert principal.holds("people.read")
    assert not principal.holds("people.write")


def demo_cli_token(cli: Cli) -> str:
    """The token alone on standard output, as a shell takes it. In a process of its own: a loop runs here."""
    process = cli.start("token", "issue", "--role", "viewer")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.count("\n") == 1
    return out.strip()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ((), "role_needed"),
        (("--permission", "people.fly"), "unknown_scope"),
        (("--role", "viewer", "--ttl", "5s"), "ttl_out_of_range"),
        (("--role", "viewer", "--ttl", "400d"), "ttl_out_of_range"),
        (("--role", "viewer", "--tenant", "nobody"), "not_found"),
    ],
)
def test_what_cannot_be_issued(demo_cli: Cli, asked: tuple[str, ...], code: str) -> None:
    assert demo_cli.error("token", "issue", *asked)["code"] == code


def test_an_unknown_role_lists_the_roles(demo_cli: Cli) -> None:
    assert "release_manager" in demo_cli.error("token", "issue", "--role", "king", exit_code=2)["message"]
    assert demo_cli.error("token", "issue", "--role", "viewer", "--ttl", "soon", exit_code=2)["code"] == "usage"


def test_a_permission_may_carry_an_environment(demo_cli: Cli) -> None:
    found = demo_cli.ok("token", "issue", "--permission", "promotions.approve@prod")
    assert claims(demo_cli, found["token"])["permissions"] == ["promotions.approve@prod"]


def test_the_roles_are_those_of_the_table() -> None:
    """The command lists them without importing the table, so that its help stays quick."""
    assert set(tokens.ROLES) == set(ROLES)
