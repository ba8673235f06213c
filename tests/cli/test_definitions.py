"""Import, lint, test and diff on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from services.integrations.connectors.loading import built_in_id
from tests.cli.conftest import Cli
from tests.services.integrations.samples import forge

DESCRIPTIONS = Path(__file__).parents[1] / "services" / "integrations" / "descriptions"


def test_from_a_description_to_a_reviewed_definition(demo_cli: Cli, tmp_path: Path) -> None:
    made = demo_cli.ok("definitions", "import", DESCRIPTIONS / "fleet.yaml", "--tag", "Droplets", "--name", "Fleet 2")
    assert made["report"]["operations"] == made["report"]["typed"] == 1
    assert demo_cli.ok("definitions", "test", made["definition"]["id"])["examples"][0]["fault"] is None
    error = demo_cli.error("definitions", "import", DESCRIPTIONS / "fleet.yaml", "--tag", "none")
    assert error["code"] == "validation_failed"
    built_in = str(built_in_id("scm.github", "1.0.0"))
    assert demo_cli.ok("definitions", "lint", built_in)["lint"] == []
    assert demo_cli.ok("definitions", "diff", built_in, built_in)["diff"]["needed"] == "none"


def test_files_need_no_database(cli: Cli, tmp_path: Path) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    before.write_text(json.dumps(forge()))
    after.write_text(json.dumps(forge(authType="basic", version="1.0.1")))
    assert len(cli.ok("definitions", "test", before)["examples"]) == 1
    result = cli("definitions", "diff", before, after, "--json")
    assert result.exit_code == 1, "a patch does not say that the authentication is another"
    found = json.loads(result.stdout)["diff"]
    assert (found["needed"], found["made"], found["honest"]) == ("major", "patch", False)
    assert "auth-type-changed" in [each["rule"] for each in found["differences"]]
    assert cli("definitions", "lint", before).exit_code == 0
    assert "secretsSchema" in cli("definitions", "lint", before, "--strict").output
    assert cli("definitions", "lint", before, "--strict").exit_code == 1
    assert cli.error("definitions", "lint", "nothing", exit_code=2)["code"] == "unreadable"
    assert not (tmp_path / "home").exists()
