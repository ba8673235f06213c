"""`kill -9` of a real server while it writes: no half-written row, no lost event, a chain that verifies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.auth.signing import TokenRequest, issue_token
from app.database import Statement
from app.settings import Settings, load_settings
from services.chain.verifying import verify_chain
from services.runtime import Runtime
from tests.architecture.code import ROOT

pytest.importorskip("app.cli.serve", reason="the command is not there yet")
pytestmark = pytest.mark.resilience

SEED, KILLS, WRITERS = 7, 20, 6
CREATE = "mutation($t: String!) { createProject(input: {title: $t}) { project { id } errors { code } } }"
_PROJECTS = Statement("SELECT id, title, search_text, status, version FROM project WHERE tenant = {tenant}")
_TOTAL = Statement("SELECT total FROM tally WHERE tenant = {tenant} AND kind = 'projects'")
_EVENTS = Statement("SELECT resource_id FROM audit_event WHERE tenant = {tenant} AND action = 'project.created'")
_UNPLACED = Statement(
    "SELECT e.id FROM audit_event e LEFT JOIN audit_pending p ON p.event = e.id LEFT JOIN audit_seal s "
    "ON s.event = e.id WHERE e.tenant = {tenant} AND (p.event IS NULL) = (s.event IS NULL)"
)


class Server:
    """`dovetail serve` in a process of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.url = settings, f"http://127.0.0.1:{settings.port}"
        self.log = settings.home.parent / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "app.cli", *words]

    @property
    def environ(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("DOVETAIL_")}
        given = {"DOVETAIL_HOME": str(self.settings.home), "DOVETAIL_PORT": str(self.settings.port)}
        return own | given | {"DOVETAIL_LOG_LEVEL": "error", "PYTHONPATH": f"{ROOT}:{ROOT / 'graphql'}"}

    def run(self, *words: str) -> None:
        subprocess.run(self.command(*words), cwd=ROOT, env=self.environ, check=True, capture_output=True)

    def spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            return subprocess.Popen(self.command("serve"), cwd=ROOT, env=self.environ, stdout=log, stderr=log)

    async def start(self) -> None:
        self.process = self.spawn()
        deadline = time.monotonic() + 30
        async with httpx.AsyncClient(base_url=self.url) as client:
            while time.monotonic() < deadline:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get("/health/live")).status_code == 200:
                        return
                assert self.process.poll() is None, f"the server ended by itself: {self.log.read_text()}"
                await asyncio.sleep(0.02)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> Any:
    runtime = Runtime(settings)
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.database.stop()


async def write(server: Server, token: str, name: str, acknowledged: set[str]) -> None:
    """Make projects until the server is gone; note each that was confirmed."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=10) as client:
        number = 0
        with contextlib.suppress(httpx.HTTPError):
            while True:
                number += 1
                body = {"query": CREATE, "variables": {"t": f"{name} {number}"}}
                answer = (await client.post("/graphql", json=body)).json()
                assert not answer.get("errors"), answer
                acknowledged.add(f"{name} {number}")


async def check(settings: Settings, tenant: UUID, acknowledged: set[str]) -> int:
    """Every confirmed row is there and whole, with its event; the tally is right; returns how many there are."""
    async with opened(settings) as runtime:
        rows = await runtime.database.fetch(_PROJECTS, tenant=tenant)
        titles = {row["title"] for row in rows}
        assert acknowledged <= titles, f"lost: {sorted(acknowledged - titles)[:5]}"
        assert all(row["search_text"] == row["title"] and row["version"] == 1 for row in rows)
        total = await runtime.database.fetch(_TOTAL, tenant=tenant)
        assert (total[0]["total"] if total else 0) == len(rows)
        events = await runtime.database.fetch(_EVENTS, tenant=tenant)
        assert sorted(row["resource_id"] for row in events) == sorted(str(row["id"]) for row in rows)
        assert await runtime.database.fetch(_UNPLACED, tenant=tenant) == []
        return len(rows)


async def test_killed_while_writing(tmp_path: Path) -> None:
    """Twenty times at a random moment of a write load, on one SQLite file: what was confirmed is there, what was not
    is there whole or not at all, each row with its event, and at the end the chain verifies."""
    moments, port = random.Random(SEED), free_port()
    settings = load_settings({}, home=tmp_path / "home", port=port, log_level="error")
    server, acknowledged, tenant = Server(settings), set[str](), await _prepared(Server(settings))
    token = await _token(settings, tenant)
    try:
        for number in range(KILLS):
            await server.start()
            load = [
                asyncio.create_task(write(server, token, f"run {number} writer {w}", acknowledged))
                for w in range(WRITERS)
            ]
            await asyncio.sleep(moments.uniform(0.01, 0.4))
            server.kill()
            await asyncio.gather(*load)
            if number % 5 == 4:
                await check(settings, tenant, acknowledged)
    finally:
        server.kill()
    assert await check(settings, tenant, acknowledged) >= KILLS
    async with opened(settings) as runtime:
        await runtime.sealer.seal_all()
        report = await verify_chain(runtime.database, runtime.audit_key, tenant, [])
    assert report.faults == [] and report.events > KILLS


async def _prepared(server: Server) -> UUID:
    """A migrated home with one tenant, made by the command itself."""
    server.run("migrate")
    server.run("tenants", "create", "killed", "--name", "Killed")
    async with opened(server.settings) as runtime:
        rows = await runtime.database.fetch(Statement("SELECT id FROM tenant WHERE slug = 'killed'"))
    return UUID(str(rows[0]["id"]))


async def _token(settings: Settings, tenant: UUID) -> str:
    async with opened(settings) as runtime:
        request = TokenRequest(
            tenant=tenant, user_id="ada", roles=["admin"], permissions=[], ttl_seconds=3_600, tier="premium"
        )
        return issue_token(runtime.signing_key, settings, runtime.clock, request)
