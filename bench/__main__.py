"""`python -m bench`: the floor and ours side by side, and what growth costs; tables and plots in `bench/results`."""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from app.logs import configure_logs
from bench import audit_growth, execute_overhead, pairs, people_growth, starts, subscribers
from tests.databases import postgres_server, redis_url

RESULTS = Path(__file__).parent / "results"
PARTS = ("pairs", "starts", "people", "audit", "execute", "subscribers")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--postgres", help="a database of a server on which others can be made; it is left as it is")
    parser.add_argument("--redis", help="for two workers")
    parser.add_argument("--only", action="append", choices=PARTS, default=[])
    parser.add_argument("--people", type=int, default=10_000, help="people of the pairs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--most-people", type=int, default=1_000_000, help="where the growth of people ends")
    parser.add_argument("--most-events", type=int, default=100_000)
    parser.add_argument("--most-subscribers", type=int, default=1_000)
    parser.add_argument("--calls", type=int, default=300, help="requests of each case of a growth series")
    given = parser.parse_args()
    # As the tests find them: named by DOVETAIL_TEST_*, running here, or installed.
    given.postgres = given.postgres or postgres_server()
    given.redis = given.redis or redis_url()
    if not given.postgres:
        parser.error("no PostgreSQL was found, and the floor is measured on it: name one, --postgres postgresql://…")
    return given


def _parts(given: argparse.Namespace, folder: Path) -> dict[str, Callable[[], str]]:
    server = given.postgres
    return {
        "pairs": lambda: pairs.run(
            server, folder, people=given.people, rounds=given.rounds, seconds=given.seconds, redis=given.redis
        ),
        "starts": lambda: starts.run(server, folder, times=given.rounds),
        "people": lambda: people_growth.run(server, folder, RESULTS, most=given.most_people, calls=given.calls),
        "audit": lambda: audit_growth.run(server, folder, RESULTS, most=given.most_events, calls=given.calls),
        "execute": lambda: execute_overhead.run(server, folder, calls=given.calls),
        "subscribers": lambda: subscribers.run(
            server, folder, RESULTS, most=given.most_subscribers, calls=max(given.calls // 10, 5)
        ),
    }


def _where() -> str:
    """What the figures depend on, beside the code."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return (
        f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit.stdout.strip() or 'unknown'}\n"
        f"- {platform.python_implementation()} {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the beginning\n"
    )


def main() -> int:
    given = _arguments()
    configure_logs("warning")
    RESULTS.mkdir(exist_ok=True)
    told, failed = _where(), 0
    with tempfile.TemporaryDirectory() as folder:
        for name, part in _parts(given, Path(folder)).items():
            if given.only and name not in given.only:
                continue
            start = time.perf_counter()
            try:
                table = part()
            except Exception:  # noqa: BLE001 - the other parts, of minutes each, are not lost with it
                traceback.print_exc()
                failed += 1
                told += f"- {name}: failed\n"
                continue
            (RESULTS / f"{name}.md").write_text(table, encoding="utf-8")
            told += f"- {name}: {time.perf_counter() - start:.0f} s\n"
            sys.stdout.write(f"## {name}, {time.perf_counter() - start:.0f} s\n\n{table}\n")
            sys.stdout.flush()
    if not given.only:
        (RESULTS / "run.md").write_text(told, encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
