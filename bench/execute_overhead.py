"""What it costs to call another service through `execute`: the same call made directly, and as an operation."""

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from app.auth.principal import shell_principal
from app.database import Statement
from app.database.migrating import migrate
from app.ids import new_id, new_request_id
from app.settings import load_settings
from bench.calls import Times, times_of
from bench.databases import fresh
from services.context import Context
from services.integrations.definitions.lifecycle import publish_integration_definition
from services.integrations.definitions.model import Definition
from services.integrations.definitions.registry import create_integration_definition
from services.integrations.execution.executing import NewExecution, execute_integration_method
from services.integrations.instances.registry import NewInstance, create_integration_instance
from services.runtime import Runtime
from services.tenants import create_tenant

COUNTS = (1, 1_000)
HEAD = (
    "| method | instances | on | direct p50 ms | through execute p50 ms | p99 ms | more, p50 ms |\n"
    "|---|---|---|---|---|---|---|"
)
_BODY = msgspec.json.encode({"id": 1, "items": [{"n": n, "text": "x" * 20} for n in range(20)]})
_SCHEMA = {"type": "object", "required": ["id"]}
#: One that reads, and one that changes something: its row and its audit event are written for each call.
_METHODS = {"reads": "GET", "writes": "POST"}


def run(server: str, folder: Path, *, calls: int) -> str:
    """The table; direct calls and executions alternate."""
    lines = [HEAD]
    with _upstream() as port:
        for kind in ("SQLite", "PostgreSQL"):
            for name, count in ((name, count) for name in _METHODS for count in COUNTS):
                with (
                    tempfile.TemporaryDirectory(dir=folder) as home,
                    fresh(kind, server, folder, f"execute_{name}_{count}") as url,
                ):
                    direct, through = asyncio.run(_measure(Path(home), url, port, name, count, calls))
                lines.append(
                    f"| {name} | {count:,} | {kind} | {direct.p50:.2f} | {through.p50:.2f} | {through.p99:.2f} "
                    f"| {through.p50 - direct.p50:.2f} |"
                )
    return "\n".join(lines) + "\n"


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n".encode()
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head + _BODY)
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


def _serve(ports: Any) -> None:
    async def serve() -> None:
        server = await asyncio.start_server(_answer, "127.0.0.1", 0)
        ports.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def _upstream() -> Iterator[int]:
    """A server in a process of its own; its port."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


async def _measure(home: Path, url: str, port: int, name: str, count: int, calls: int) -> tuple[Times, Times]:
    runtime = Runtime(load_settings({}, home=home, database_url=url, egress_allow=["127.0.0.1"]))
    await migrate(runtime.database)
    await runtime.start()
    context = Context(runtime, shell_principal(new_id(), "bench"), "cli", new_request_id())
    await create_tenant(context, "bench", "Bench")
    instances = await _instances(context, f"http://127.0.0.1:{port}", count)
    # As a database does by itself soon after it has grown.
    await context.database.execute(Statement("ANALYZE"))
    direct, through = [], []
    asked = NewExecution(method=name, parameters={"name": "thing"})
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session:
        for instance in instances:
            await execute_integration_method(context, instance, asked)
        for number in range(calls + 50):
            at = time.perf_counter()
            async with session.request(_METHODS[name], f"http://127.0.0.1:{port}/things/thing") as response:
                msgspec.json.decode(await response.read())
            between = time.perf_counter()
            await execute_integration_method(context, instances[number % count], asked)
            if number >= 50:
                direct.append(between - at)
                through.append(time.perf_counter() - between)
            if number % 100 == 0:
                await runtime.executions.flush()
    await runtime.stop()
    return times_of(direct), times_of(through)


async def _instances(context: Context, base: str, count: int) -> list[Any]:
    methods = [
        {
            "name": name,
            "paramSchema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            "resultSchema": _SCHEMA,
            "request": {"method": verb, "path": "/things/{name}"},
            "rateLimits": {"requestsPerMinute": 1_000_000},
        }
        for name, verb in _METHODS.items()
    ]
    given = {
        "name": "Bench", "version": "1.0.0", "type": "http", "authType": "bearer", "baseUrl": base, "methods": methods,
    }  # fmt: skip
    definition = await create_integration_definition(context, msgspec.convert(given, Definition))
    await publish_integration_definition(context, definition["id"])
    made = []
    for number in range(count):
        asked = NewInstance(
            definition=definition["id"], name=f"Instance {number}", config={}, credentials={"token": "t" * 40}
        )
        made.append((await create_integration_instance(context, asked))["id"])
    return made
