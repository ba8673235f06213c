"""`dovetail openapi` and `dovetail schema`: the documents that the server answers with."""

import json
from pathlib import Path

import pytest

from rest.contracts.documents import snapshot
from rest.contracts.registry import APIS
from tests.cli.conftest import Cli


def test_openapi_is_printed_and_written(cli: Cli, tmp_path: Path) -> None:
    found = json.loads(cli("openapi").stdout)
    assert found["openapi"].startswith("3.")
    assert "/people" in found["paths"]
    out = tmp_path / "v1.json"
    assert cli.ok("openapi", "--out", out) == {"file": str(out)}
    assert json.loads(out.read_text(encoding="utf-8")) == found


def test_schema_is_printed_and_written(cli: Cli, tmp_path: Path) -> None:
    text = cli("schema").stdout
    assert "type Query" in text
    out = tmp_path / "schema.graphql"
    cli.ok("schema", "--out", out)
    assert out.read_text(encoding="utf-8").strip() == text.strip()
    assert cli.ok("schema")["sdl"].strip() == text.strip()
    assert cli.error("schema", "--out", tmp_path / "no" / "where")["code"] == "cannot_write"


@pytest.mark.parametrize(("api", "version"), [(name, each) for name, one in APIS.items() for each in one.versions])
def test_every_registered_version_is_printed_as_its_snapshot(api: str, version: str, cli: Cli) -> None:
    assert cli("openapi", "--api", api, "--version", version).stdout_bytes == snapshot(api, version)


def test_a_version_that_is_not_registered_is_named(cli: Cli) -> None:
    """With those that there are; v1 of the consumer contract is what stands without options."""
    found = cli.error("openapi", "--version", "v9")
    assert found["code"] == "contract_unknown" and "integrations v2" in found["message"]
    assert cli("openapi").stdout_bytes == snapshot("integrations", "v1")
