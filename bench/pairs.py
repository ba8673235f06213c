"""The floor and ours in alternating rounds: the same page, the same nested list, the same GraphQL list."""

import asyncio
import json
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from app.settings import load_settings
from bench.data import Prepared, prepare
from bench.databases import fresh
from bench.load import Job, Measured
from bench.servers import free_port, get, load, post, serving
from bench.serving import cpu_seconds, resident_megabytes, serve
from bench.two_cores import table as on_two_cores

NESTED = (
    "{ installations(first: 50) { nodes { id displayName status createdAt "
    "origins { id origin verificationStatus } credentials { id label kid status } } } }"
)
PEOPLE = "{ people(first: 100) { nodes { orcidId name biography lastFetchedAt syncStatus publicationCount } } }"
HEAD = (
    "| case | who | answers/s | of the first | CPU µs an answer | p50 ms | p99 ms | kB | not 200 | MB |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


class Contender(NamedTuple):
    name: str
    port: int
    request: str


class Case(NamedTuple):
    """Each contender is measured against the first."""

    title: str
    contenders: list[Contender]


class Round(NamedTuple):
    """What the load saw, and the CPU time of the server for each answer, in microseconds."""

    seen: Measured
    cpu: float


class Server(NamedTuple):
    name: str
    port: int
    prepared: Prepared


def _beside(stack: ExitStack, module: str, home: Path, url: str, found: Prepared, path: str) -> int:
    """The port of a server that is not ours, on the same rows."""
    port = free_port()
    environment = {
        "DOVETAIL_HOME": str(home), "DOVETAIL_BENCH_URL": url, "DOVETAIL_BENCH_TENANT": str(found.tenant),
        "DOVETAIL_PORT": str(port),
    }  # fmt: skip
    command = [sys.executable, "-m", "uvicorn", module, "--port", str(port), "--no-access-log"]
    return stack.enter_context(serving([*command, "--log-level", "warning"], environment, port, path))


def _ours(one: Server) -> dict[str, str]:
    bearer = f"Bearer {one.prepared.token}"
    return {
        "people": get("/integrations/v1/people?page=1&per_page=100", X_API_Key=one.prepared.key),
        "deep": get("/integrations/v1/people?page=90&per_page=100", X_API_Key=one.prepared.key),
        "nested": post("/graphql", json.dumps({"query": NESTED}), Authorization=bearer),
        "graphql": post("/graphql", json.dumps({"query": PEOPLE}), Authorization=bearer),
    }


def _cases(floor: int, stock: int, servers: list[Server], kept: Server) -> list[Case]:
    def case(title: str, name: str, first: Contender) -> Case:
        return Case(title, [first, *(Contender(one.name, one.port, _ours(one)[name]) for one in servers)])

    page = Contender("floor", floor, get("/people?page=1&per_page=100"))
    deep = Contender("floor", floor, get("/people?page=90&per_page=100"))
    asked = Contender("stock Strawberry", stock, post("/graphql", json.dumps({"query": PEOPLE})))
    first = case("Page of 100 people, REST", "people", page)
    kept_page = Contender(kept.name, kept.port, _ours(kept)["people"])
    return [
        first._replace(contenders=[*first.contenders, kept_page]),
        case("Page 90 of 100 people, REST", "deep", deep),
        case("50 installations × 3 origins × 4 keys, GraphQL", "nested", Contender("floor", floor, get("/nested"))),
        case("100 people × 6 fields, GraphQL", "graphql", page),
        case("100 people × 6 fields, GraphQL against stock", "graphql", asked),
    ]


def _measure(case: Case, rounds: int, seconds: float) -> list[str]:
    results: dict[str, list[Round]] = {contender.name: [] for contender in case.contenders}
    for _ in range(rounds):
        for contender in case.contenders:
            results[contender.name].append(_round(contender, seconds))
    first = statistics.median(m.seen.rate for m in results[case.contenders[0].name])
    return [_line(case.title, one, results[one.name], first) for one in case.contenders]


def _round(contender: Contender, seconds: float) -> Round:
    before = cpu_seconds(contender.port)
    seen = load(Job(port=contender.port, request=contender.request, seconds=seconds))
    return Round(seen, (cpu_seconds(contender.port) - before) * 1e6 / max(seen.answers, 1))


def _line(title: str, contender: Contender, rounds: list[Round], first: float) -> str:
    found, cpu = [one.seen for one in rounds], statistics.median(one.cpu for one in rounds)
    rate = statistics.median(m.rate for m in found)
    p50, p99 = (statistics.median(getattr(m, field) for m in found) for field in ("p50", "p99"))
    bad = sum(m.bad for m in found)
    return (
        f"| {title} | {contender.name} | {rate:,.0f} | {rate / first:.2f} | {cpu:,.0f} | {p50:.1f} | {p99:.1f} "
        f"| {found[0].body_bytes / 1_000:.0f} | {bad} | {resident_megabytes(contender.port):.0f} |"
    )


def run(server: str, folder: Path, *, people: int, rounds: int, seconds: float, redis: str | None) -> str:
    """The table; where a Redis is named, ours stand in it with it and one worker, and with two."""
    with ExitStack() as stack:
        urls = {kind: stack.enter_context(fresh(kind, server, folder, "pairs")) for kind in ("SQLite", "PostgreSQL")}
        homes = {kind: folder / f"pairs-{kind}" for kind in urls}
        made = {
            kind: asyncio.run(prepare(load_settings({}, home=homes[kind], database_url=url), people))
            for kind, url in urls.items()
        }
        home, url, found = homes["PostgreSQL"], urls["PostgreSQL"], made["PostgreSQL"]
        with ExitStack() as running:
            servers = [
                Server(f"Dovetail on {kind}", serve(running, homes[kind], urls[kind]), made[kind]) for kind in urls
            ]
            if redis is not None:
                for workers, name in ((1, "one worker with Redis"), (2, "two workers")):
                    port = serve(running, home, url, workers=workers, DOVETAIL_REDIS_URL=redis)
                    servers.append(Server(f"Dovetail on PostgreSQL, {name}", port, found))
            port = serve(running, home, url, DOVETAIL_PAGE_CACHE_BYTES="33554432")
            kept = Server("Dovetail on PostgreSQL, kept pages", port, found)
            floor = _beside(running, "bench.floor:app", home, url, found, "/nested")
            stock = _beside(running, "bench.stock:app", home, url, found, "/graphql?query=%7B__typename%7D")
            lines = [line for case in _cases(floor, stock, servers, kept) for line in _measure(case, rounds, seconds)]
        told = "\n".join([HEAD, *lines]) + "\n"
        if redis is not None:
            told += "\n" + on_two_cores(home, url, found, redis, rounds=rounds, seconds=seconds)
    return told
