"""`dovetail contract impact`: exit status, text and JSON, over what a server of the same home has recorded."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from graph.schema import sdl
from rest.contracts.documents import snapshot
from tests.browser.server import real_console
from tests.cli.conftest import Cli

V1 = json.loads(snapshot("integrations", "v1"))


@pytest.fixture(scope="module")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A server answered three requests of its demo's key, and stopped as a server stops."""
    home = tmp_path_factory.mktemp("used") / "home"
    with real_console(home) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        for path in ("/people", "/people?q=a", "/projects"):
            answer = client.get(f"/integrations/v1{path}", headers={"X-API-Key": server.api_key})
            assert answer.status_code == 200
    yield home


@pytest.fixture
def used_cli(used_home: Path) -> Cli:
    return Cli(used_home)


def written(folder: Path, name: str, *gone: str) -> Path:
    found: dict[str, Any] = copy.deepcopy(V1)
    for path in gone:
        del found["paths"][path]
    file = folder / name
    file.write_text(json.dumps(found) if file.suffix == ".json" else yaml.safe_dump(found))
    return file


def test_who_is_hit(used_cli: Cli, tmp_path: Path) -> None:
    """JSON names each finding with its callers; somebody is hit."""
    files = written(tmp_path, "base.json"), written(tmp_path, "revision.yaml", "/people", "/works")
    result = used_cli("contract", "impact", *files, "--format", "json")
    assert result.exit_code == 1, result.output
    report = json.loads(result.stdout)
    told = {impact["operation"]: impact for impact in report["impacts"]}
    assert (report["api"], report["version"], report["safe"], report["window"]["missing"]) == (
        "integrations", "v1", False, [],
    )  # fmt: skip
    assert (told["GET /people"]["state"], told["GET /works"]["state"]) == ("used", "not_seen")
    [caller] = told["GET /people"]["callers"]
    assert (caller["kind"], caller["requests"], caller["name"]) == ("installation", 2, "Demo site")


def test_text_for_a_person(used_cli: Cli, tmp_path: Path) -> None:
    """Each change with what is known of it."""
    files = written(tmp_path, "base.json"), written(tmp_path, "revision.json", "/people")
    result = used_cli("contract", "impact", *files, "--window", "7d", "--tenant", "demo")
    assert result.exit_code == 1
    assert "USED  GET /people  (operation-removed)" in result.stdout
    assert "2 requests" in result.stdout and "installation Demo site" in result.stdout


def test_nobody_is_hit(used_cli: Cli, tmp_path: Path) -> None:
    """An operation that nobody called in a window that was recorded; and nothing taken away at all."""
    base = written(tmp_path, "base.json")
    result = used_cli("contract", "impact", base, written(tmp_path, "revision.json", "/works"))
    assert result.exit_code == 0 and "NOT SEEN  GET /works" in result.stdout
    result = used_cli("contract", "impact", base, base)
    assert result.exit_code == 0 and "Nothing is taken away." in result.stdout


def test_a_schema_of_the_control_plane(used_cli: Cli, tmp_path: Path) -> None:
    """Documents of GraphQL by their extension; nobody asked the control plane."""
    base, revision = tmp_path / "base.graphql", tmp_path / "revision.graphql"
    base.write_text(sdl())
    revision.write_text(sdl().replace('  """The caller."""\n  viewer: Viewer!\n', "", 1))
    assert base.read_text() != revision.read_text()
    result = used_cli("contract", "impact", base, revision, "--format", "json")
    report = json.loads(result.stdout)
    assert (report["api"], result.exit_code) == ("control-plane", 0), result.stdout
    assert {impact["state"] for impact in report["impacts"]} == {"not_seen"}


@pytest.mark.parametrize("text", ["no document", "{", "[]", '{"openapi": 4}'])
def test_what_cannot_be_read(text: str, used_cli: Cli, tmp_path: Path) -> None:
    """Exit 2, never a pass; also for a file that is not there, and two files of two kinds."""
    base, bad = written(tmp_path, "base.json"), tmp_path / "bad.json"
    bad.write_text(text)
    for files in ((base, bad), (bad, base), (base, tmp_path / "missing.json")):
        result = used_cli("contract", "impact", *files)
        assert (result.exit_code, result.stdout) == (2, "")
    schema = tmp_path / "schema.graphql"
    schema.write_text(sdl())
    assert used_cli("contract", "impact", base, schema).exit_code == 2


@pytest.mark.parametrize("window", ["30", "0d", "-1d", "d", "1w", "99999d"])
def test_a_window_is_days(window: str, used_cli: Cli, tmp_path: Path) -> None:
    base = written(tmp_path, "base.json")
    assert used_cli("contract", "impact", base, base, "--window", window).exit_code == 2
