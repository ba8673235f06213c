"""Import, lint, test and diff on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from services.integrations.connectors.files import built_in_definitions
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
    github = next(each for each in built_in_definitions() if each.name == "scm.github")
    built_in = str(built_in_id(github.name, github.version))
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


def test_a_file_of_yaml_is_created_as_one_of_json_is(demo_cli: Cli, tmp_path: Path) -> None:
    """What lint and test read, create reads; a file that is no definition is told by its name and the rule."""
    file = tmp_path / "yaml.yaml"
    lines = [f"{name}: {json.dumps(value)}" for name, value in forge(name="Forge in YAML").items()]
    file.write_text("\n".join(lines))
    made = demo_cli.ok("definitions", "create", file)["definition"]
    assert (made["name"], made["status"]) == ("Forge in YAML", "DRAFT")
    file.write_text("name: [")
    error = demo_cli.error("definitions", "create", file, exit_code=2)
    assert error["code"] == "unreadable" and error["message"].startswith("yaml.yaml:2: is not YAML")
    for text, found in (("- name", "array"), ("", "null"), ("5", "int")):
        file.write_text(text)
        for command in ("create", "lint"):
            error = demo_cli.error("definitions", command, file)
            assert error["details"] == {"body": f"must be object, got {found}"}, command
