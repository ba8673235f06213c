"""Failures: a sentence that says what to do next, a code for programs, and never a traceback."""

import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from app.cli.failures import Problem, report
from app.cli.root import dovetail
from app.database.outages import AWAY, NO_ROOM, READ_ONLY
from tests.cli.conftest import Cli


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*path, name))


LEAVES = dict(leaves(dovetail))


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_each_command_has_json_and_help(path: tuple[str, ...], cli: Cli) -> None:
    """`--json` is everywhere, and every command says in its help what it does."""
    assert [param for param in LEAVES[path].params if "--json" in param.opts]
    assert LEAVES[path].help
    assert cli(*path, "--help").exit_code == 0


def test_help_imports_no_services() -> None:
    """The help is there at once: nothing of the server is imported for it."""
    code = "import sys; from app.cli.root import dovetail\ntry: dovetail(['--help'])\nexcept SystemExit: pass\n"
    code += "sys.exit(any(m.split('.')[0] in ('services', 'models', 'litestar', 'piccolo') for m in sys.modules))"
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 3


@pytest.mark.parametrize(
    ("env", "word"),
    [
        ({"DOVETAIL_PROT": "1"}, "DOVETAIL_PROT is not a setting"),
        ({"DOVETAIL_PORT": "many"}, "port"),
        ({"DOVETAIL_PORT": "0"}, "port"),
        ({"DOVETAIL_DATABASE_URL": "mysql://x/y"}, "postgresql://"),
        ({"DOVETAIL_DATABASE_URL": "sqlite:///relative.db"}, "absolute"),
        ({"DOVETAIL_EGRESS_ALLOW": "not a host"}, "egress_allow"),
        ({"DOVETAIL_OIDC_ISSUERS": "{"}, "DOVETAIL_OIDC_ISSUERS"),
        ({"DOVETAIL_PEPPER": "c2hvcnQ="}, "32 bytes"),
        ({"DOVETAIL_HOME": "/proc/nowhere"}, "/proc/nowhere"),
    ],
)
@pytest.mark.parametrize("command", [("tenants", "list"), ("demo",)], ids=" ".join)
def test_bad_settings_are_named(cli: Cli, env: dict[str, str], word: str, command: tuple[str, ...]) -> None:
    result = cli(*command, **env)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert word in result.stderr


def test_a_bad_settings_file_is_named(cli: Cli) -> None:
    cli.home.mkdir()
    (cli.home / "dovetail.toml").write_text("port = [", encoding="utf-8")
    found = cli.error("settings")
    assert found["code"] == "settings_invalid"
    assert "dovetail.toml" in found["message"]


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    cli = Cli(tmp_path, DOVETAIL_DATABASE_URL=f"postgresql://nobody:secret@127.0.0.1:{port}/none")
    for command in (("tenants", "list"), ("migrate",), ("demo",), ("serve",)):
        result = cli(*command)
        assert result.exit_code == 1
        assert "DOVETAIL_DATABASE_URL" in result.stderr
        assert "secret" not in result.output
        assert "Traceback" not in result.output
    assert cli.error("audit", "verify")["code"] == "service_unavailable"


def test_usage_errors_exit_with_2(cli: Cli) -> None:
    assert cli("nonsense").exit_code == 2
    assert cli("people", "import").exit_code == 2
    assert cli("installations", "show", "no-uuid").exit_code == 2
    assert cli.error("people", "import", "/no/such/file", exit_code=2)["code"] == "usage"
    assert cli.error("nonsense", exit_code=2)["code"] == "usage"


def test_an_unmigrated_database_says_so(either_cli: Cli) -> None:
    found = either_cli.error("tenants", "list")
    assert found["code"] == "migrations_pending"
    assert "dovetail migrate" in found["message"]
    assert either_cli.error("migrate", "--check")["code"] == "migrations_pending"
    assert either_cli.ok("migrate")["ran"]
    assert either_cli.ok("migrate") == {"ran": [], "loaded": []}
    assert either_cli.ok("migrate", "--check") == {"pending": []}
    assert either_cli.ok("tenants", "list") == {"tenants": [], "more": False}


def test_the_tenant_is_asked_for_where_it_is_needed(cli: Cli) -> None:
    """None: how to make one. One: that one. Several: their names."""
    cli.ok("migrate")
    assert "dovetail demo" in cli.error("people", "list")["message"]
    cli.ok("tenants", "create", "one", "--name", "Первый")
    assert cli.ok("people", "list")["people"] == []
    cli.ok("tenants", "create", "two")
    found = cli.error("people", "list")
    assert found["code"] == "tenant_needed"
    assert found["details"] == {"tenants": ["one", "two"]}
    assert cli.ok("people", "list", "--tenant", "two")["people"] == []
    assert cli.error("people", "list", "--tenant", "three")["code"] == "not_found"
    assert cli.error("tenants", "create", "one")["code"] == "conflict"
    assert cli.error("tenants", "create", "Not A Slug")["code"] == "validation_failed"


def test_settings_shows_sources_and_masks_secrets(cli: Cli) -> None:
    cli.home.mkdir()
    (cli.home / "dovetail.toml").write_text("log_level = 'error'\n", encoding="utf-8")
    secrets = {
        "DOVETAIL_DATABASE_URL": "postgresql://me:hunter2@db/x",
        "DOVETAIL_REDIS_URL": "redis://:hunter2@r/1",
        "DOVETAIL_ANCHOR_URL": "https://h.example/hook?key=hunter2",
        "DOVETAIL_PEPPER": "hunter2",
    }
    result = cli("settings", "--json", **secrets)
    assert "hunter2" not in result.output
    assert '"DOVETAIL_LOG_LEVEL",\n      "value": "error",\n      "from": "dovetail.toml"' in result.stdout
    assert '"DOVETAIL_HOME"' in result.stdout
    assert "hunter2" not in cli("settings", **secrets).output


@pytest.mark.parametrize(("message", "hint"), [(AWAY, True), (NO_ROOM, False), (READ_ONLY, False)])
def test_a_database_that_is_reached_is_not_looked_for(
    message: str, hint: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its address is what to look at where it is away, and not where its disk is full."""
    with click.Context(dovetail):
        report(Problem("service_unavailable", message))
    assert ("DOVETAIL_DATABASE_URL" in capsys.readouterr().err) == hint
