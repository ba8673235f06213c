"""Databases for tests: found where they run, started where they are installed, else skipped with a reason.

`DOVETAIL_TEST_POSTGRES_URL` and `DOVETAIL_TEST_REDIS_URL` name servers; with
`DOVETAIL_TEST_REQUIRE_ALL=1` a missing server fails the test instead of skipping it.

A test module imports the fixtures that it uses: `database_url` gives a fresh database of each engine in
turn, `database` one that is started.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from app.database import Database, open_database
from tests.claims import claim, free_port
from tests.endings import SECONDS

#: The numbered databases of a Redis as it is installed, the last first: 0 is likely to be in use.
_REDIS_DATABASES = range(15, 0, -1)


def missing(what: str) -> None:
    """Skip, or fail where everything is required."""
    if os.environ.get("DOVETAIL_TEST_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is required and was not found")
    pytest.skip(f"{what} was not found")


# --- PostgreSQL --------------------------------------------------------------------------------------


def _run(make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine to its end, also from inside a running loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(make())).result()


async def run_on(url: str, *statements: str) -> None:
    """None takes longer than the bound: a backend that stands still holds up every DROP DATABASE of its server."""
    connection = await asyncpg.connect(url, timeout=SECONDS, command_timeout=SECONDS)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close(timeout=SECONDS)


def _answers(url: str) -> bool:
    try:
        _run(lambda: run_on(url, "SELECT 1"))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True


@cache
def postgres_server() -> str | None:
    """The URL of a server that answers, with a database on it where others can be made."""
    given = os.environ.get("DOVETAIL_TEST_POSTGRES_URL")
    if given:
        return given
    running = (f"postgresql://{user}@127.0.0.1:5432/postgres" for user in ("postgres", "root"))
    return next((url for url in running if _answers(url)), None) or _start_postgres()


def _postgres_programs() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("pg_ctl")
    folders += [Path(found).parent] if found else []
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def postgres_program(name: str) -> Path | None:
    """One of the client programs that come with the server, of its version."""
    folder = _postgres_programs()
    return folder / name if folder is not None and (folder / name).exists() else None


def _as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]


def _start_postgres() -> str | None:
    programs = _postgres_programs()
    if programs is None:
        return None
    folder, port = tempfile.mkdtemp(prefix="dovetail-postgres-"), free_port()
    if os.geteuid() == 0:
        with contextlib.suppress(LookupError):
            shutil.chown(folder, "postgres", "postgres")
    data, options = f"{folder}/data", f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
    control = [str(programs / "pg_ctl"), "-D", data, "-w", "-l", f"{folder}/log"]
    try:
        _quietly([str(programs / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"])
        _quietly([*control, "-o", options, "start"])
    except (OSError, subprocess.SubprocessError):
        shutil.rmtree(folder, ignore_errors=True)
        return None
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(_quietly, [*control, "-m", "immediate", "stop"])
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _quietly(command: list[str]) -> None:
    null = subprocess.DEVNULL
    subprocess.run(_as_postgres(command), check=True, stdout=null, stderr=null, cwd="/", timeout=2 * SECONDS)


def create_postgres(server: str) -> str:
    """A new, empty database on the server; its URL."""
    name = f"dovetail_test_{os.getpid()}_{secrets.token_hex(4)}"
    _run(lambda: run_on(server, f'CREATE DATABASE "{name}" TEMPLATE template0'))
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


_DROP = """
import asyncio, asyncpg, sys

async def drop(server, name):
    connection = await asyncpg.connect(server, timeout=20)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

asyncio.run(drop(*sys.argv[1:]))
"""


def drop_postgres(url: str) -> None:
    """Drop the database. In a process of its own: at exit no thread may be started any more."""
    name, server = urlsplit(url).path.lstrip("/"), postgres_server()
    if server is not None:
        subprocess.run([sys.executable, "-c", _DROP, server, name], check=False, capture_output=True, timeout=30)


@cache
def postgres_url() -> str | None:
    """A database of this test run, dropped at its end; None where no server can be had."""
    server = postgres_server()
    if server is None:
        return None
    url = create_postgres(server)
    atexit.register(drop_postgres, url)
    return url


# --- Redis -------------------------------------------------------------------------------------------


def _pongs(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(b"PING\r\n")
        return link.recv(16).startswith(b"+PONG")
    return False


@cache
def redis_url() -> str | None:
    """A Redis for this process alone: a database of a running server that no other test has, or a private server."""
    given = os.environ.get("DOVETAIL_TEST_REDIS_URL")
    if given:
        return given
    number = claim("redis", _REDIS_DATABASES) if _pongs(6379) else None
    return _start_redis() if number is None else f"redis://127.0.0.1:6379/{number}"


def _start_redis() -> str | None:
    program, port = shutil.which("redis-server"), free_port()
    if program is None:
        return None
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    atexit.register(server.terminate)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if _pongs(port):
            return f"redis://127.0.0.1:{port}/0"
        time.sleep(0.05)
    return None


# --- fixtures ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def fresh_url(engine: str, folder: Path) -> Iterator[str]:
    """An empty database of `sqlite` (a file in `folder`) or `postgres`, gone afterwards."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'test.sqlite'}"
        return
    server = postgres_server()
    if server is None:
        missing("PostgreSQL")
        return
    url = create_postgres(server)
    try:
        yield url
    finally:
        name = urlsplit(url).path.lstrip("/")
        _run(lambda: run_on(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_url(request.param, tmp_path) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    await opened.start()
    try:
        yield opened
    finally:
        await opened.stop()


@pytest.fixture
def required_redis_url() -> str:
    url = redis_url()
    if url is None:
        missing("Redis")
    assert url is not None
    return url
