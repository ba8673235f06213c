"""Definitions, instances and encryption keys on the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.cli.conftest import Cli
from tests.services.integrations.samples import forge


def test_a_definition_is_made_and_connected(demo_cli: Cli, tmp_path: Path) -> None:
    """From a file to a published definition, to an instance; a faulty file is told with its paths."""
    file = tmp_path / "forge.json"
    file.write_text(json.dumps(forge(name="Forge of the command")))
    made = demo_cli.ok("definitions", "create", file, "--publish")["definition"]
    assert made["status"] == "PUBLISHED"
    listed = demo_cli.ok("definitions", "list")["definitions"]
    assert made["id"] in [row["id"] for row in listed]
    config = json.dumps({"organization": "ada"})
    instance = demo_cli.ok("instances", "create", "Forge of the command", "Ours", "--config", config)["instance"]
    assert instance["status"] == "PENDING_AUTHENTICATION"
    assert demo_cli.ok("instances", "show", instance["id"])["instance"]["name"] == "Ours"
    file.write_text(json.dumps(forge(version="one")))
    error = demo_cli.error("definitions", "create", file)
    assert error["code"] == "validation_failed" and "version" in error["details"]
    assert demo_cli.error("instances", "create", "Forge of the command", "B", "--config", "[]")["code"] == (
        "json_unreadable"
    )
    asked = ("instances", "create", "Forge of the command", "C", "--config", config, "--credential-ref")
    error = demo_cli.error(*asked, "vault://Nobody/ci/forge#token")
    assert error["code"] == "integration_config_invalid" and "credentialRef" in error["details"]
    demo_cli.ok("instances", "delete", instance["id"])
    for step, status in (("deprecate", "DEPRECATED"), ("archive", "ARCHIVED")):
        assert demo_cli.ok("definitions", step, made["id"])["definition"]["status"] == status
    assert demo_cli.error("definitions", "publish", made["id"])["code"] == "invalid_transition"


def test_encryption_keys_are_rotated(demo_cli: Cli) -> None:
    """List, try, rotate, retire; the current key and one that has just been replaced stay."""

    def keys() -> dict[str, Any]:
        return {row["key"]: row["state"] for row in demo_cli.ok("keys", "encryption", "list")["encryption keys"]}

    assert keys() == {"k1": "current"}
    assert demo_cli.ok("keys", "encryption", "rotate", "--dry-run")["added"] is None
    assert demo_cli.ok("keys", "encryption", "rotate")["added"] == "k2"
    assert demo_cli.ok("keys", "encryption", "rotate", "--resume")["added"] is None
    assert keys() == {"k1": "kept", "k2": "current"}
    assert demo_cli.error("keys", "encryption", "retire", "k1")["code"] == "ring_just_changed"
    path = demo_cli.home / "keys" / "encryption.json"
    old = path.stat().st_mtime - 60
    os.utime(path, (old, old))
    # The demo's signing secret and payload lie under it now.
    assert demo_cli.error("keys", "encryption", "retire", "k2")["code"] == "key_in_use"
    assert demo_cli.ok("keys", "encryption", "retire", "k1")["retired"] == "k1"
    assert keys() == {"k2": "current"}


def test_redirects_are_listed_and_taken_off(demo_cli: Cli) -> None:
    """What OAuth2 authorizations may come back to; the same one twice, and one without TLS, are refused."""
    uri = "https://app.example.com/oauth/callback"
    before = [row["uri"] for row in demo_cli.ok("redirects", "list")["redirects"]]
    made = demo_cli.ok("redirects", "add", uri)["redirect"]
    assert [row["uri"] for row in demo_cli.ok("redirects", "list")["redirects"]] == [*before, uri]
    assert demo_cli.error("redirects", "add", uri)["code"] == "conflict"
    assert demo_cli.error("redirects", "add", "http://app.example.com/")["code"] == "validation_failed"
    assert demo_cli.ok("redirects", "remove", made["id"])["removed redirect"]["uri"] == uri
    assert demo_cli.error("redirects", "remove", made["id"])["code"] == "not_found"


def test_webhooks(demo_cli: Cli) -> None:
    """URL and secret are shown when they are made; a secret that is given is read, and not shown."""
    made = demo_cli.ok("instances", "create", "generic.webhook", "Events")["instance"]
    assert made["webhook_url"].startswith("http") and made["signing_secret"].startswith("whsec_")
    assert "webhook_url" not in demo_cli.ok("instances", "show", made["id"])["instance"]
    turned = demo_cli.ok("instances", "rotate-secret", made["id"], "--overlap-seconds", 60)["webhook"]
    assert set(turned) == {"name", "status", "signing_secret", "previous_secret_until"}
    given = ("instances", "rotate-secret", made["id"], "--given", "--overlap-seconds", 0)
    assert demo_cli.ok(*given, input="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")["webhook"] == {
        "name": "Events",
        "status": "CONNECTED",
    }
    assert demo_cli.error(*given, input="short")["code"] == "integration_config_invalid"
    assert demo_cli.ok("instances", "rotate-url", made["id"])["webhook"]["webhook_url"] != made["webhook_url"]
    assert demo_cli.ok("instances", "deliveries", made["id"])["deliveries"] == []
    (incoming,) = [row for row in demo_cli.ok("instances", "list")["instances"] if row["name"] == "Incoming"]
    (one,) = demo_cli.ok("instances", "deliveries", incoming["id"])["deliveries"]
    assert (one["event_type"], one["status"]) == ("paper.accepted", "accepted")
    listed = demo_cli.ok("instances", "list")["instances"]
    (other,) = [row for row in listed if row["name"] == "Greetings"]
    assert demo_cli.error("instances", "rotate-url", other["id"])["code"] == "webhook_unsupported"


def test_lists_say_where_there_is_more(demo_cli: Cli) -> None:
    for group in ("definitions", "instances"):
        every = demo_cli.ok(group, "list")
        assert every["more"] is False
        first = demo_cli.ok(group, "list", "--limit", 1)
        assert (first[group], first["more"]) == (every[group][:1], True)
