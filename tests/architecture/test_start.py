"""What a server imports to start: nothing that only other commands or rare calls need."""

import subprocess
import sys

import pytest

from tests.architecture.code import ROOT

SCRIPT = """
import sys, tempfile
from pathlib import Path
import app.cli.serve, uvicorn
from app.asgi import create_app
from app.settings import load_settings
create_app(load_settings({}, home=Path(tempfile.mkdtemp())))
print(" ".join(sys.modules))
"""


@pytest.fixture(scope="module")
def imported() -> set[str]:
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'graphql'}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


#: Libraries, then parts of ours that are loaded by whoever needs them first.
UNNEEDED = [
    "aiohttp", "black", "jinja2", "jsonschema_rs", "litestar.plugins.pydantic", "piccolo.conf.apps", "pydantic",
    "app.database.migrating", "services.contracts.openapi", "services.contracts.sdl", "services.contracts.swagger",
]  # fmt: skip


@pytest.mark.parametrize("name", UNNEEDED)
def test_a_server_starts_without(name: str, imported: set[str]) -> None:
    """Each costs tenths of a second, or megabytes, of every process."""
    assert name not in imported


def test_what_it_needs_is_there(imported: set[str]) -> None:
    assert {"litestar", "graph.schema", "rest.integrations_v1.routes"} <= imported
