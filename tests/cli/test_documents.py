"""`dovetail openapi` and `dovetail schema`: the documents that the server answers with."""

import json
from pathlib import Path

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
