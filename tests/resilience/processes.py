"""`dovetail` in processes of its own, to be killed, starved or cut off."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from app.settings import Settings
from tests.architecture.code import ROOT
from tests.endings import SECONDS, gone, killed, lives, next_line


class Server:
    """`dovetail serve`; `more` are further environment variables, `log` is where standard error goes."""

    def __init__(self, settings: Settings, *, workers: int = 1, log: Path | None = None, **more: str) -> None:
        self.settings, self.url, self.workers = settings, f"http://127.0.0.1:{settings.port}", workers
        self.log = log or settings.home.parent / "server.log"
        self._more = more
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environ(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("DOVETAIL_")}
        given = {
            "DOVETAIL_HOME": str(self.settings.home),
            "DOVETAIL_PORT": str(self.settings.port),
            "DOVETAIL_DATABASE_URL": self.settings.database,
            "DOVETAIL_LOG_LEVEL": "error",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'graphql'}",
        }
        return own | given | self._more

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "app.cli", *words]

    def run(self, *words: str) -> None:
        subprocess.run(self._command(*words), cwd=ROOT, env=self.environ, check=True, capture_output=True, timeout=120)

    def spawn(self) -> subprocess.Popen[bytes]:
        words = ("serve", "--workers", str(self.workers)) if self.workers > 1 else ("serve",)
        with self.log.open("ab") as log:
            return subprocess.Popen(self._command(*words), cwd=ROOT, env=self.environ, stdout=log, stderr=log)

    async def start(self) -> None:
        self.process = self.spawn()
        await self.is_ready()

    async def is_ready(self) -> None:
        """Returns when `/health/ready` says so."""
        deadline = time.monotonic() + 120
        async with httpx.AsyncClient(base_url=self.url) as client:
            while time.monotonic() < deadline:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get("/health/ready", timeout=10)).status_code == 200:
                        return
                assert self._lives(), f"the server ended by itself: {self.log.read_text()}"
                await asyncio.sleep(0.02)
        raise AssertionError(f"the server did not start: {self.log.read_text()}")

    def _lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """`kill -9`, the workers too: nothing of the server is left."""
        if self.process is None:
            return
        for pid in [*self.worker_ids(), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed(self.process)

    async def stop(self) -> int:
        """SIGTERM, and how it ended."""
        assert self.process is not None
        self.process.terminate()
        return await asyncio.to_thread(self.process.wait, SECONDS)

    def worker_ids(self) -> list[int]:
        if self.process is None or self.process.poll() is not None:
            return []
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


class ForkedServer(Server):
    """The same server, forked from a process that has imported everything: to be killed and started many times."""

    def __init__(self, settings: Settings, **more: str) -> None:
        super().__init__(settings, **more)
        self._pid: int | None = None

    async def start(self) -> None:
        if self.process is None:
            command = [sys.executable, "-m", "tests.resilience.forked_serving"]
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    command, cwd=ROOT, env=self.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
                )
        assert self.process.stdin is not None
        self.process.stdin.write(b"serve\n")
        self.process.stdin.flush()
        self._pid = int(await asyncio.to_thread(next_line, self.process))
        await self.is_ready()

    def _lives(self) -> bool:
        return self._pid is not None and lives(self._pid)

    def kill(self) -> None:
        """`kill -9`, and nothing of it is left."""
        pid, self._pid = self._pid, None
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            gone([pid])

    def end(self) -> None:
        """The process that forks too."""
        self.kill()
        if self.process is not None:
            killed(self.process)
