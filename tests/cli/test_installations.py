"""Installations, origins and credentials from the shell, through the same operations as everywhere."""

import json
from typing import Any

import pytest

from app.auth.credentials import key_id, legacy_digest
from tests.cli.conftest import Cli


@pytest.fixture
def site(demo_cli: Cli) -> str:
    made = demo_cli.ok("installations", "create", "Лаборатория", "--platform", "drupal", "--rate-limit", 60)
    return str(made["installation"]["id"])


def status(cli: Cli, site: str) -> Any:
    return cli.ok("installations", "show", site)["installation"]["status"]


def test_a_life(demo_cli: Cli, site: str) -> None:
    changed = demo_cli.ok("installations", "update", site, "--name", "New", "--burst", 9, "--version", 1)
    assert changed["installation"]["display_name"] == "New"
    assert changed["installation"]["rate_limit_per_minute"] == 60
    stale = demo_cli.error("installations", "update", site, "--name", "Other", "--version", 1)
    assert stale["code"] == "version_conflict"
    assert demo_cli.error("installations", "update", site)["code"] == "nothing_to_change"
    assert demo_cli.error("installations", "disable", site)["code"] == "invalid_transition"
    demo_cli.ok("installations", "revoke", site)
    demo_cli.ok("installations", "archive", site)
    assert status(demo_cli, site) == "archived"
    listed = demo_cli.ok("installations", "list", "--status", "archived")["installations"]
    assert [row["id"] for row in listed] == [site]


def test_an_origin_that_is_not_proved(demo_cli: Cli, site: str) -> None:
    """The challenge says what to publish and where; a missing proof says so and what to do."""
    made = demo_cli.ok("origins", "register", site, "HTTPS://WWW.Example.ORG:443/")
    origin = made["origin"]["id"]
    assert made["origin"]["origin"] == "https://www.example.org"
    assert made["challenge"]["where"] == "https://www.example.org/.well-known/dovetail-verification.txt"
    assert demo_cli.ok("origins", "challenge", origin)["challenge"] == made["challenge"]
    assert status(demo_cli, site) == "pending_verification"
    assert demo_cli.error("origins", "register", site, "https://www.example.org")["code"] == "conflict"
    assert demo_cli.error("origins", "register", site, "https://user:pw@x.org")["code"] == "validation_failed"
    demo_cli.ok("origins", "remove", origin)
    local = demo_cli.ok("origins", "register", site, "http://127.0.0.1:9")["origin"]["id"]
    refused = demo_cli("origins", "verify", local)
    assert refused.exit_code == 1
    assert "dovetail origins challenge" in refused.stderr
    assert demo_cli.error("origins", "verify", local)["code"] == "origin_unverified"


def test_a_key_is_shown_once(demo_cli: Cli, site: str) -> None:
    issued = demo_cli("credentials", "issue", site, "--label", "cron", "--scope", "people.read")
    assert key_id(issued.stdout.strip())
    listed = demo_cli("credentials", "list", site, "--json").stdout
    assert issued.stdout.strip() not in listed
    assert "digest" not in listed
    (first,) = json.loads(listed)["credentials"]
    assert first["scopes"] == ["people.read"]
    rotated = demo_cli.ok("credentials", "rotate", first["id"], "--grace", "1h")
    assert key_id(rotated["api_key"]) == rotated["credential"]["kid"]
    assert demo_cli.error("credentials", "rotate", first["id"])["code"] == "invalid_transition"
    assert demo_cli.ok("credentials", "revoke", first["id"])["credential"]["status"] == "revoked"
    past = demo_cli.error(
        "credentials", "issue", site, "--label", "x", "--scope", "people.read", "--expires", "2001-01-01"
    )
    assert past["code"] == "validation_failed"


def test_a_legacy_key_is_taken_over(demo_cli: Cli, site: str) -> None:
    """From standard input, hashed here, or by its digest; the key is in no output."""
    options = ("--label", "old", "--scope", "people.read")
    result = demo_cli("credentials", "import", site, *options, "--json", input="sk_old_12345\r\n")
    assert result.exit_code == 0, result.output
    assert "sk_old_12345" not in result.output
    assert json.loads(result.stdout)["credential"]["hash_alg"] == "sha256"
    twice = demo_cli.error("credentials", "import", site, *options, "--digest", legacy_digest("sk_old_12345"))
    assert twice["code"] == "conflict"
    assert demo_cli.error("credentials", "import", site, *options, input="\n")["code"] == "no_key"
    assert demo_cli.error("credentials", "import", site, *options, input="a\nb\n")["code"] == "no_key"
    assert demo_cli.error("credentials", "import", site, *options, "--digest", "12")["code"] == "validation_failed"


def test_another_tenants_installation_is_not_there(demo_cli: Cli, site: str) -> None:
    demo_cli.ok("tenants", "create", "two")
    for command in (("installations", "show"), ("credentials", "list"), ("origins", "list")):
        assert demo_cli.error(*command, site, "--tenant", "two")["code"] == "not_found"


def test_usage_is_listed(demo_cli: Cli) -> None:
    assert demo_cli.ok("usage", "--since", "2026-01-01") == {"usage": [], "more": False}
    assert demo_cli.error("usage", "--since", "2026-02-30")["code"] == "validation_failed"


def test_tables_cannot_steer_the_terminal(demo_cli: Cli) -> None:
    demo_cli.ok("installations", "create", "[red]x\u202eevil[/red]")
    text = demo_cli("installations", "list").stdout
    assert "[red]x\ufffdevil[/red]" in text
