"""`dovetail serve` in a process of its own, from when it is ready until it has ended."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tests.claims import free_port
from tests.cli.conftest import Cli
from tests.endings import SECONDS, killed

__all__ = ["SECONDS", "served", "served_demo"]
Process = subprocess.Popen[str]


@contextlib.contextmanager
def served(cli: Cli, *options: str) -> Iterator[tuple[int, Process]]:
    """The port of a server that is ready, and its process."""
    port = free_port()
    process = cli.start("serve", "--port", port, *options)
    try:
        _is_ready(f"http://127.0.0.1:{port}", process)
        yield port, process
        process.terminate()
        process.communicate(timeout=SECONDS)
    finally:
        killed(process)


def _is_ready(base: str, process: Process) -> None:
    """Returns when `/health/ready` says so."""
    deadline = time.monotonic() + SECONDS
    with httpx.Client(base_url=base, timeout=20, trust_env=False) as client:
        while time.monotonic() < deadline:
            assert process.poll() is None, killed(process)
            # Until it listens, it cannot be reached; who waited for several workers is reset when they take the port.
            with contextlib.suppress(httpx.ConnectError, httpx.ReadError):
                if client.get("/health/ready").status_code == 200:
                    return
            time.sleep(0.02)
    raise AssertionError(f"the server is not ready: {killed(process)}")


def _said(process: Process) -> str:
    """Its next line; a server that has ended says none."""
    assert process.stdout is not None
    found = process.stdout.readline()
    assert found, f"the server has ended: {killed(process)}"
    return found


@dataclass
class Demo:
    """A demo that serves: the command beside it, its address, and what it printed of itself."""

    cli: Cli
    base: str
    told: dict[str, Any]


@contextlib.contextmanager
def served_demo(home: Path, *options: str, **settings: str) -> Iterator[Demo]:
    """A demo that has just begun to serve; it reaches no ORCID but one of the settings."""
    given = {"ORCID_BASE_URL": "http://127.0.0.1:9", "LOG_LEVEL": "error"} | settings
    cli = Cli(home, **{f"DOVETAIL_{name}": value for name, value in given.items()})
    with served(cli, "--demo", "--json", *options) as (port, process):
        # What a command beside it shows of the server has its address.
        cli.env["DOVETAIL_PORT"] = str(port)
        told = json.loads("".join(iter(partial(_said, process), "}\n")) + "}")
        yield Demo(cli, f"http://127.0.0.1:{port}", told["demo"])
