"""The page about webhooks, done as it says: its commands run against a server, and its definition connects."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.cli.serving import served_demo
from tests.databases import missing
from tests.docs.pages import DOCS, blocks

PAGE = DOCS / "operations" / "receive-webhooks.md"
SENDERS = {"webhook-id": "generic.webhook", "X-Hub-Signature-256": "scm.github-webhook", "Stripe-Signature": "Billing"}


def samples() -> list[tuple[str, str]]:
    """Each request by hand, with the definition that it is for."""
    shells = [block.body for block in blocks(PAGE) if block.language == "sh" and "curl" in block.body]
    return [(next(kind for mark, kind in SENDERS.items() if mark in body), body) for body in shells]


def billing() -> str:
    """The definition that the page shows."""
    (found,) = [block.body for block in blocks(PAGE) if block.language == "json" and '"signatures"' in block.body]
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A demo that serves, with the page's own definition published in it."""
    for program in ("bash", "openssl", "curl", "od"):
        if shutil.which(program) is None:
            missing(program)
    home = tmp_path_factory.mktemp("served") / "home"
    with served_demo(home) as demo:
        file = home / "billing.json"
        file.write_text(billing())
        demo.cli.ok("definitions", "create", file, "--publish")
        yield demo.cli


def test_every_sender_is_shown() -> None:
    assert sorted(kind for kind, _ in samples()) == sorted(SENDERS.values())


@pytest.mark.parametrize(("kind", "shell"), samples(), ids=lambda value: value if "\n" not in value else "")
def test_a_request_by_hand_is_accepted(kind: str, shell: str, served: Cli) -> None:
    """URL and secret as they were shown; the block as it stands; what came in is listed as the page says."""
    made = served.ok("instances", "create", kind, f"By hand: {kind}")["instance"]
    environment = served.environment() | {"URL": made["webhook_url"], "SECRET": made["signing_secret"]}
    asked = ["bash", "-euo", "pipefail", "-c", shell]
    run = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
    answer: Any = json.loads(run.stdout)
    assert answer["status"] == "ACCEPTED", run.stdout
    (one,) = served.ok("instances", "deliveries", made["id"])["deliveries"]
    assert (one["id"], one["status"]) == (answer["id"], "accepted")


def test_the_definition_of_the_page_holds(tmp_path: Path) -> None:
    """Its examples are played, and lint has nothing to say but that it is not described."""
    file, cli = tmp_path / "billing.json", Cli(tmp_path / "home")
    file.write_text(billing())
    assert [each["fault"] for each in cli.ok("definitions", "test", file)["examples"]] == [None]
    assert [each["rule"] for each in cli.ok("definitions", "lint", file)["lint"]] == ["description"]
