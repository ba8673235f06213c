"""`dovetail serve`: one server on a SQLite file, a migrated database, and an end without haste."""

import fcntl
import json
import os
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from app.cli.serve import configured
from app.settings import load_settings
from tests.claims import free_port
from tests.cli.conftest import Cli
from tests.cli.serving import SECONDS, served


def test_one_server_on_a_sqlite_file(demo_cli: Cli) -> None:
    """The second is refused with what to do about it; other commands run beside it; Ctrl-C ends it well."""
    with served(demo_cli) as (port, process):
        found = demo_cli.error("serve", "--port", free_port())
        assert found["code"] == "already_serving"
        assert str(process.pid) in found["message"]
        assert "PostgreSQL" in found["message"]
        demo = demo_cli.ok("demo")
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/integrations/v1/people", headers={"X-API-Key": demo["api_key"]}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert b"Ada Lovelace" in answer.read()
            assert answer.headers["server"] is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
        assert process.returncode == 0
        assert f"listens on http://127.0.0.1:{port}" in err
        assert "Traceback" not in err
    assert demo_cli.ok("usage")["usage"][0]["count"] >= 1


def test_one_server_on_a_sqlite_file_of_two_homes(demo_cli: Cli, tmp_path: Path) -> None:
    """Another home folder that names the file, also through a link, is refused by the file; its own file is not."""
    link = tmp_path / "linked.sqlite"
    link.symlink_to(demo_cli.home / "dovetail.sqlite")
    with served(demo_cli) as (_, process):
        for path in (demo_cli.home / "dovetail.sqlite", link):
            other = Cli(tmp_path / "other", DOVETAIL_DATABASE_URL=f"sqlite:///{path}")
            found = other.error("serve", "--port", free_port())
            assert found["code"] == "already_serving"
            assert f"Process {process.pid} " in found["message"]
            assert f"is serving {demo_cli.home.resolve() / 'dovetail.sqlite'} already" in found["message"]
        own = Cli(tmp_path / "other", DOVETAIL_DATABASE_URL=f"sqlite:///{tmp_path / 'own.sqlite'}")
        with served(own, "--demo"):
            pass


def test_serve_with_the_demo_starts_from_nothing(cli: Cli) -> None:
    with served(cli, "--demo", "--json") as (port, process):
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=SECONDS)
        found = json.loads(out)
        assert found["url"] == found["demo"]["base_url"] == f"http://127.0.0.1:{port}"
        assert found["demo"]["api_key"].startswith("dvt_live_")
    assert len(cli.ok("people", "list")["people"]) == 15


def test_a_lock_that_nobody_holds_is_no_hindrance(demo_cli: Cli) -> None:
    """A killed server leaves its file; the kernel has let go of the lock."""
    (demo_cli.home / "dovetail.lock").write_text("Process 1\n", encoding="utf-8")
    with served(demo_cli):
        pass


def test_every_log_line_is_json(demo_cli: Cli) -> None:
    """Also what the HTTP server has to say about a request that is none."""
    with served(demo_cli) as (port, process):
        with socket.create_connection(("127.0.0.1", port)) as link:
            link.sendall(b"\x00\xff nonsense\r\n\r\n")
            link.recv(1_000)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=SECONDS)
    lines = [json.loads(line) for line in err.splitlines() if not line.startswith("Dovetail listens")]
    assert {"uvicorn.error"} <= {line.get("logger") for line in lines}
    assert any(line["level"] == "warning" for line in lines)


def test_a_held_lock_refuses(demo_cli: Cli) -> None:
    descriptor = os.open(demo_cli.home / "dovetail.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert demo_cli("serve").exit_code == 1
    finally:
        os.close(descriptor)


def test_pending_migrations_exit_with_3(cli: Cli) -> None:
    result = cli("serve", "--port", free_port())
    assert result.exit_code == 3
    assert "dovetail migrate" in result.stderr


def test_a_port_that_is_taken_is_told(demo_cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = demo_cli.error("serve", "--port", taken.getsockname()[1])
    assert found["code"] == "cannot_listen"
    assert "--port" in found["message"]
    assert demo_cli.error("serve", "--port", free_port(), "--host", "no-such-host.invalid")["code"] == "cannot_listen"


def test_the_server_is_configured_as_the_settings_say(demo_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings({"DOVETAIL_FORWARDED_ALLOW_IPS": "10.0.0.1"}, home=str(demo_cli.home))
    config = configured(settings)
    assert not config.proxy_headers, "the addresses of proxies are looked at by app.auth.proxies"
    assert config.lifespan == "on"
    assert config.timeout_graceful_shutdown == settings.shutdown_seconds
    assert config.ws_max_size == settings.max_body_bytes
    assert not config.access_log
    assert not config.server_header
