"""`python -m bench`: the floor and ours in alternating rounds, as a table of ratios (`bench/results/latest.md`)."""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from app.settings import load_settings
from bench.data import Prepared, prepare
from bench.load import Job, Measured
from bench.servers import free_port, get, load, post, serving

RESULTS = Path(__file__).parent / "results"
NESTED = (
    "{ installations(first: 50) { nodes { id displayName status createdAt "
    "origins { id origin verificationStatus } credentials { id label kid status } } } }"
)
PEOPLE = "{ people(first: 100) { nodes { orcidId name biography lastFetchedAt syncStatus publicationCount } } }"


class Contender(NamedTuple):
    name: str
    port: int
    request: str


class Case(NamedTuple):
    """The first contender is the floor."""

    title: str
    contenders: list[Contender]


def _serve(stack: ExitStack, home: Path, url: str) -> int:
    port = free_port()
    environment = {
        "DOVETAIL_HOME": str(home),
        "DOVETAIL_PORT": str(port),
        "DOVETAIL_DATABASE_URL": url,
        "DOVETAIL_GRAPHQL_COST_PER_MINUTE": "2000000000",
        "DOVETAIL_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "app.cli", "serve"]
    return stack.enter_context(serving(command, environment, port, "/integrations/v1/health"))


def _floor(stack: ExitStack, home: Path, url: str, found: Prepared) -> int:
    port = free_port()
    environment = {
        "DOVETAIL_HOME": str(home), "DOVETAIL_BENCH_URL": url, "DOVETAIL_BENCH_TENANT": str(found.tenant),
    }  # fmt: skip
    command = [sys.executable, "-m", "uvicorn", "bench.floor:app", "--port", str(port), "--no-access-log"]
    return stack.enter_context(serving([*command, "--log-level", "warning"], environment, port, "/nested"))


def _ours(port: int, found: Prepared) -> dict[str, str]:
    bearer = f"Bearer {found.token}"
    return {
        "people": get("/integrations/v1/people?page=1&per_page=100", X_API_Key=found.key),
        "deep": get("/integrations/v1/people?page=90&per_page=100", X_API_Key=found.key),
        "nested": post("/graphql", json.dumps({"query": NESTED}), Authorization=bearer),
        "graphql": post("/graphql", json.dumps({"query": PEOPLE}), Authorization=bearer),
    }


def _cases(floor: int, servers: dict[str, tuple[int, Prepared]]) -> list[Case]:
    def case(title: str, name: str, floor_path: str) -> Case:
        ours = [Contender(f"Dovetail on {kind}", port, _ours(port, p)[name]) for kind, (port, p) in servers.items()]
        return Case(title, [Contender("floor", floor, get(floor_path)), *ours])

    return [
        case("Page of 100 people, REST", "people", "/people?page=1&per_page=100"),
        case("Page 90 of 100 people, REST", "deep", "/people?page=90&per_page=100"),
        case("50 installations × 3 origins × 4 keys, GraphQL", "nested", "/nested"),
        case("100 people × 6 fields, GraphQL", "graphql", "/people?page=1&per_page=100"),
    ]


def _measure(case: Case, rounds: int, seconds: float) -> list[str]:
    results: dict[str, list[Measured]] = {contender.name: [] for contender in case.contenders}
    for _ in range(rounds):
        for contender in case.contenders:
            job = Job(port=contender.port, request=contender.request, seconds=seconds)
            results[contender.name].append(load(job))
    floor = statistics.median(m.rate for m in results[case.contenders[0].name])
    return [_line(case.title, name, found, floor) for name, found in results.items()]


def _line(title: str, name: str, found: list[Measured], floor: float) -> str:
    rate = statistics.median(m.rate for m in found)
    p50, p99 = (statistics.median(getattr(m, field) for m in found) for field in ("p50", "p99"))
    bad = sum(m.bad for m in found)
    kilobytes = found[0].body_bytes / 1_000
    return f"| {title} | {name} | {rate:,.0f} | {rate / floor:.2f} | {p50:.1f} | {p99:.1f} | {kilobytes:.0f} | {bad} |"


HEAD = "| case | who | answers/s | of the floor | p50 ms | p99 ms | kB | not 200 |\n|---|---|---|---|---|---|---|---|"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--postgres", default=os.environ.get("DOVETAIL_TEST_POSTGRES_URL"), help="an EMPTY database")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    if not given.postgres:
        parser.error("--postgres postgresql://… of an empty database is needed: the floor is measured on it")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        homes = {"SQLite": Path(folder) / "sqlite", "PostgreSQL": Path(folder) / "postgres"}
        urls = {"SQLite": f"sqlite:///{folder}/bench.sqlite", "PostgreSQL": given.postgres}
        prepared = {
            kind: asyncio.run(prepare(load_settings({}, home=homes[kind], database_url=urls[kind]), given.people))
            for kind in homes
        }
        servers = {kind: (_serve(stack, homes[kind], urls[kind]), prepared[kind]) for kind in homes}
        floor = _floor(stack, homes["PostgreSQL"], given.postgres, prepared["PostgreSQL"])
        lines = [line for case in _cases(floor, servers) for line in _measure(case, given.rounds, given.seconds)]
    table = "\n".join([HEAD, *lines]) + "\n"
    (RESULTS / "latest.md").write_text(f"{given.people:,} people, {given.rounds} rounds\n\n{table}")
    sys.stdout.write(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
