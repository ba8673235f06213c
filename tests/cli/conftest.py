"""The command, run in this process or in one of its own, on a home folder and a database of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from app.cli.root import dovetail
from models.piccolo_app import TABLES
from tests.databases import fresh_url

PROGRAM = [sys.executable, "-m", "app.cli"]


class Cli:
    """Runs commands; `env` is theirs alone."""

    def __init__(self, home: Path, **env: str) -> None:
        self.home = home
        self.env = {"DOVETAIL_HOME": str(home), **env}

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DOVETAIL_")}
        return kept | self.env

    def __call__(self, *args: Any, input: str | bytes | None = None, **env: str) -> Result:
        unset = {name: None for name in os.environ if name.startswith("DOVETAIL_")}
        given = [str(arg) for arg in args]
        return CliRunner().invoke(dovetail, given, input=input, env=unset | self.env | env, catch_exceptions=False)

    def ok(self, *args: Any, input: str | bytes | None = None) -> Any:
        """The JSON document of a command that must succeed."""
        result = self(*args, "--json", input=input)
        assert result.exit_code == 0, result.output
        return msgspec.json.decode(result.stdout)

    def error(self, *args: Any, exit_code: int = 1, input: str | bytes | None = None) -> Any:
        """The JSON error of a command that must fail."""
        result = self(*args, "--json", input=input)
        assert result.exit_code == exit_code, result.output
        assert result.stdout == ""
        return msgspec.json.decode(result.stderr)["error"]

    def start(self, *args: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*PROGRAM, *(str(arg) for arg in args)], env=self.environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """A command binds the tables to its database, as a process of its own may."""
    bound = [table._meta._db for table in TABLES]
    yield
    for table, engine in zip(TABLES, bound, strict=True):
        table._meta._db = engine


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home")


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("demo") / "home"
    Cli(home).ok("demo")
    return home


@pytest.fixture
def demo_cli(demo_home: Path, tmp_path: Path) -> Cli:
    """A home folder of SQLite with the demo in it."""
    shutil.copytree(demo_home, tmp_path / "home")
    return Cli(tmp_path / "home")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either_cli(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cli]:
    """A home folder whose database is each engine in turn, empty."""
    with fresh_url(request.param, tmp_path) as url:
        yield Cli(tmp_path / "home", DOVETAIL_DATABASE_URL=url)
