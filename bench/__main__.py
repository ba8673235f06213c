"""`python -m bench`: the floor and ours side by side, and what growth costs; tables and plots in `bench/results`."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import audit_growth, execute_overhead, pairs, people_growth, starts, subscribers

RESULTS = Path(__file__).parent / "results"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--postgres",
        default=os.environ.get("DOVETAIL_TEST_POSTGRES_URL"),
        help="a database of a server on which others can be made; it is left as it is",
    )
    parser.add_argument("--redis", default=os.environ.get("DOVETAIL_TEST_REDIS_URL"), help="for two workers")
    parser.add_argument(
        "--only", action="append", choices=("pairs", "starts", "people", "audit", "subscribers", "execute"), default=[]
    )
    parser.add_argument("--people", type=int, default=10_000, help="people of the pairs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--most-people", type=int, default=1_000_000, help="where the growth of people ends")
    parser.add_argument("--most-events", type=int, default=100_000)
    parser.add_argument("--most-subscribers", type=int, default=1_000)
    parser.add_argument("--calls", type=int, default=300, help="requests of each case of a growth series")
    given = parser.parse_args()
    if not given.postgres:
        parser.error("--postgres postgresql://… is needed: the floor is measured on it")
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


def main() -> int:
    given = _arguments()
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, part in _parts(given, Path(folder)).items():
            if given.only and name not in given.only:
                continue
            start = time.perf_counter()
            table = part()
            (RESULTS / f"{name}.md").write_text(table, encoding="utf-8")
            sys.stdout.write(f"## {name}, {time.perf_counter() - start:.0f} s\n\n{table}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
