"""`dovetail instances set-credentials`: secrets from standard input, or a reference to where they lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.services.integrations.samples import forge

REFERENCE = "vault://Our%20vault/ci/forge#token"
#: The reference, and what its refusal says.
REFUSED = [
    ("", "must be vault://"),
    ("env://TOKEN", "must be vault://"),
    ("authref://store/01a1fbab-431c-78bb-a33e-035a9c7909c4", "must be vault://"),
    ("vault://Our%20vault/../sys#token", "none of them . or .."),
    ("vault://Nobody/ci/forge#token", "names no integration of the tenant"),
    ("vault://Ours/ci/forge#token", "is no vault"),
]


@pytest.fixture
def ours(either_cli: Cli, tmp_path: Path) -> str:
    """The id of an instance beside a connected vault."""
    either_cli.ok("migrate")
    either_cli.ok("tenants", "create", "acme", "--name", "Acme")
    file = tmp_path / "forge.json"
    file.write_text(json.dumps(forge(name="Forge")))
    either_cli.ok("definitions", "create", file, "--publish")
    config = json.dumps({"baseUrl": "https://vault.example.org"})
    vault = either_cli.ok("instances", "create", "vault.hashicorp", "Our vault", "--config", config)["instance"]
    either_cli.ok("instances", "set-credentials", vault["id"], input='{"apiKey": "root-token"}')
    made = either_cli.ok("instances", "create", "Forge", "Ours", "--config", '{"organization": "ada"}')["instance"]
    assert made["status"] == "PENDING_AUTHENTICATION" and made["credential_ref"] is None
    return str(made["id"])


def test_a_reference_takes_the_place_of_secrets_and_they_of_it(either_cli: Cli, ours: str) -> None:
    """With a reference standard input is not read, so that a terminal or a pipe that stays open holds up nothing."""
    given = ("instances", "set-credentials", ours)
    made = either_cli.ok(*given, "--credential-ref", REFERENCE, input="no JSON object")["instance"]
    assert made["status"] == "CONNECTED" and made["credential_ref"].startswith("vault://")
    assert made["credential_ref"].endswith("/ci/forge#token")
    assert either_cli.ok("instances", "show", ours)["instance"]["credential_ref"] == made["credential_ref"]
    sealed = either_cli.ok(*given, input='{"token": "given-by-hand"}')["instance"]
    assert sealed["credential_ref"] == f"authref://store/{ours}"
    assert either_cli.ok(*given, "--credential-ref", REFERENCE)["instance"]["credential_ref"] == made["credential_ref"]
    events: list[dict[str, Any]] = either_cli.ok("audit", "list")["events"]
    assert [each["action"] for each in events].count("integration_instance.credentials_set") == 4


def test_what_a_reference_may_not_be(either_cli: Cli, ours: str) -> None:
    """Each refusal is told on `credentialRef`, and what the instance had stays."""
    given = ("instances", "set-credentials", ours)
    either_cli.ok(*given, input='{"token": "given-by-hand"}')
    for reference, rule in REFUSED:
        error = either_cli.error(*given, "--credential-ref", reference)
        assert error["code"] == "integration_config_invalid" and rule in error["details"]["credentialRef"], error
    listed = either_cli.ok("instances", "list")["instances"]
    (vault,) = [row["id"] for row in listed if row["name"] == "Our vault"]
    error = either_cli.error("instances", "set-credentials", vault, "--credential-ref", "vault://Our%20vault/a#apiKey")
    assert "from vault to vault" in error["details"]["credentialRef"]
    assert either_cli.ok("instances", "show", ours)["instance"]["credential_ref"] == f"authref://store/{ours}"


def test_secrets_that_cannot_be_read(either_cli: Cli, ours: str) -> None:
    given = ("instances", "set-credentials", ours)
    for text, code in (("", "json_unreadable"), ("[]", "json_unreadable"), ('{"token": 7}', "credentials_unreadable")):
        assert either_cli.error(*given, input=text)["code"] == code
    assert either_cli.error(*given, input="{}")["code"] == "integration_config_invalid"
