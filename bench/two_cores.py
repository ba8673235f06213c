"""Two workers on two cores beside one worker on one, with the same PostgreSQL and Redis."""

import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bench.data import Prepared
from bench.load import Job, Measured
from bench.servers import get, load
from bench.serving import cpu_seconds, serve

_HEAD = (
    "| two cores | answers/s, one worker | answers/s, two workers | ratio | CPU µs, one | CPU µs, two "
    "| ratio by CPU time | CPU µs, load | p99 ms, one | p99 ms, two | not 200 |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)
#: So many that each worker has enough of them, however they fall.
_CONNECTIONS = 32
_CASES = {
    "Page of 100 people, REST": {},
    "Page of 100 people, REST, kept pages": {"DOVETAIL_PAGE_CACHE_BYTES": "33554432"},
}


class _Run(NamedTuple):
    seen: Measured
    cpu: float


def table(home: Path, url: str, found: Prepared, redis: str, *, rounds: int, seconds: float) -> str:
    """One row a case. One worker has the first core and the load the second; two workers and the load have both."""
    lines = []
    for title, given in _CASES.items():
        with ExitStack() as stack:
            ports = [
                serve(stack, home, url, workers=workers, cores=cores, DOVETAIL_REDIS_URL=redis, **given)
                for workers, cores in ((1, "0"), (2, "0,1"))
            ]
            pairs = [_pair(ports, found.key, seconds) for _ in range(rounds)]
        lines.append(_line(title, pairs))
    return "\n".join([_HEAD, *lines]) + "\n"


def _pair(ports: list[int], key: str, seconds: float) -> tuple[_Run, _Run]:
    request = get("/integrations/v1/people?page=1&per_page=100", X_API_Key=key)
    one, two = (
        _run(Job(port=port, request=request, connections=_CONNECTIONS, seconds=seconds), cores)
        for port, cores in zip(ports, ("1", "0,1"), strict=True)
    )
    return one, two


def _run(job: Job, cores: str) -> _Run:
    before = cpu_seconds(job.port)
    seen = load(job, cores)
    return _Run(seen, (cpu_seconds(job.port) - before) * 1e6 / max(seen.answers, 1))


def _line(title: str, pairs: list[tuple[_Run, _Run]]) -> str:
    rates = [statistics.median(pair[i].seen.rate for pair in pairs) for i in (0, 1)]
    cpu = [statistics.median(pair[i].cpu for pair in pairs) for i in (0, 1)]
    late = [statistics.median(pair[i].seen.p99 for pair in pairs) for i in (0, 1)]
    # Each pair was measured at one time, whatever else the machine did then.
    ratio = statistics.median(two.seen.rate / one.seen.rate for one, two in pairs)
    by_cpu = statistics.median(2 * one.cpu / two.cpu for one, two in pairs)
    load_cpu = statistics.median(run.seen.cpu for pair in pairs for run in pair)
    bad = sum(run.seen.bad for pair in pairs for run in pair)
    return (
        f"| {title} | {rates[0]:,.0f} | {rates[1]:,.0f} | **{ratio:.2f}** | {cpu[0]:,.0f} | {cpu[1]:,.0f} "
        f"| **{by_cpu:.2f}** | {load_cpu:,.0f} | {late[0]:.1f} | {late[1]:.1f} | {bad} |"
    )
