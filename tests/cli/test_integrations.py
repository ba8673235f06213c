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
    assert demo_cli.error("keys", "encryption", "retire", "k2")["code"] == "conflict"
    assert demo_cli.ok("keys", "encryption", "retire", "k1")["retired"] == "k1"
    assert keys() == {"k2": "current"}


def test_redirects_are_listed_and_taken_off(demo_cli: Cli) -> None:
    """What OAuth2 authorizations may come back to; the same one twice, and one without TLS, are refused."""
    uri = "https://app.example.com/oauth/callback"
    made = demo_cli.ok("redirects", "add", uri)["redirect"]
    assert [row["uri"] for row in demo_cli.ok("redirects", "list")["redirects"]] == [uri]
    assert demo_cli.error("redirects", "add", uri)["code"] == "conflict"
    assert demo_cli.error("redirects", "add", "http://app.example.com/")["code"] == "validation_failed"
    assert demo_cli.ok("redirects", "remove", made["id"])["removed redirect"]["uri"] == uri
    assert demo_cli.error("redirects", "remove", made["id"])["code"] == "not_found"
