"""`dovetail serve`: one server on a SQLite file, a migrated database, and an end without haste."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.cli.serve import configured
from app.settings import load_settings
from tests.claims import free_port
from tests.cli.conftest import Cli


@contextmanager
def served(cli: Cli, *options: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    port = free_port()
    process = cli.start("serve", "--port", port, *options)
    try:
        deadline = time.monotonic() + 30
        while True:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=20) as answer:
                    assert answer.status == 200
                    break
            except OSError:
                time.sleep(0.02)
        yield port, process
    finally:
        process.kill()
        process.communicate()


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
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert b"Ada Lovelace" in answer.read()
            assert answer.headers["server"] is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0
        assert f"listens on http://127.0.0.1:{port}" in err
        assert "Traceback" not in err
    assert demo_cli.ok("usage")["usage"][0]["count"] >= 1


def test_serve_with_the_demo_starts_from_nothing(cli: Cli) -> None:
    with served(cli, "--demo", "--json") as (port, process):
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
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
        _, err = process.communicate(timeout=20)
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
