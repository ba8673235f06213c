"""What ten and a hundred times as many people cost: pages and searches, one request after the other."""

import asyncio
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from bench.calls import time_calls
from bench.data import Prepared
from bench.databases import fill, fresh
from bench.plots import draw
from bench.servers import get
from bench.serving import resident_megabytes, serve

SIZES = (10_000, 100_000, 1_000_000)
HEAD = "| people | on | case | p50 ms | p99 ms | slowest ms | not 200 |\n|---|---|---|---|---|---|---|"
_PER_PAGE = 100
_HELD_MS, _PATIENCE_SECONDS = 50.0, 60.0
_LETTERS = "abcdefghilmnoprstuv"
_COMMON = ("ada", "bar", "car", "cru", "eir", "fat", "gra", "han", "jon", "lac", "lov", "sil", "иван", "κωσ", "новак")
_LONG = ("lovelace", "ada lovelace", "a lovelac", "carlos silva", "dagny bartok", "de la cruz", "παπαδοπουλοσ")

Query = Callable[[random.Random], str]


def _any(letters: str, length: int) -> Query:
    return lambda chance: "".join(chance.choices(letters, k=length))


#: What is asked, and how a query of the kind is made.
QUERIES: dict[str, Query] = {
    "q of 1, hit": lambda chance: chance.choice(_LETTERS),
    "q of 1, miss": lambda chance: chance.choice("#~^=+&@$"),
    "q of 3, hit": lambda chance: chance.choice(_COMMON),
    "q of 3, miss": _any("qwxyjz", 3),
    "q of 8, hit": lambda chance: chance.choice(_LONG),
    "q of 8, miss": _any("qwxyjzkm", 8),
    "q of 8, few": lambda chance: f"silva {chance.randint(0, 9_999):04d}",
}


def _page(prepared: Prepared, page: int, query: str = "") -> str:
    path = f"/integrations/v1/people?page={page}&per_page={_PER_PAGE}"
    return get(path + (f"&q={quote(query)}" if query else ""), X_API_Key=prepared.key)


def _requests(prepared: Prepared, people: int, calls: int) -> dict[str, list[str]]:
    chance = random.Random(people)
    last = people // _PER_PAGE
    deep = min(5_000, last)
    near = [_page(prepared, chance.randint(max(2, deep - 20), deep)) for _ in range(calls)]
    found = {"page 1": [_page(prepared, 1)] * calls, "page 5,000, or the last": near}
    for name, make in QUERIES.items():
        found[name] = [_page(prepared, 1, make(chance)) for _ in range(calls)]
    return found


async def _searchable(port: int, request: str) -> float:
    """Seconds until a search is answered by what the process holds, or by a short list."""
    start = time.perf_counter()
    while time.perf_counter() - start < _PATIENCE_SECONDS:
        if (await time_calls(port, [request] * 2)).slowest < _HELD_MS:
            break
    return time.perf_counter() - start


def run(server: str, folder: Path, results: Path, *, most: int, calls: int) -> str:
    """The table of all sizes up to `most`; draws `people-*.svg`."""
    lines, notes = [HEAD], []
    series: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for people in (size for size in SIZES if size <= most):
        for kind in ("SQLite", "PostgreSQL"):
            with ExitStack() as stack:
                home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
                url = stack.enter_context(fresh(kind, server, folder, f"people_{people}"))
                start = time.perf_counter()
                prepared = fill(home, url, people)
                loaded = time.perf_counter() - start
                port = serve(stack, home, url)
                before = resident_megabytes(port)
                first = asyncio.run(time_calls(port, [_page(prepared, 1)])).slowest
                waited = asyncio.run(_searchable(port, _page(prepared, 1, "new")))
                for case, requests in _requests(prepared, people, calls).items():
                    found = asyncio.run(time_calls(port, requests))
                    lines.append(
                        f"| {people:,} | {kind} | {case} | {found.p50:.1f} | {found.p99:.1f} | {found.slowest:.0f} "
                        f"| {found.bad} |"
                    )
                    series[kind][case].append((people, found.p99))
                after = resident_megabytes(port)
            notes.append(
                f"- {people:,} on {kind}: loaded in {loaded:.0f} s; first page after {first:.0f} ms, searches quick "
                f"{waited:.1f} s later; server {before:.0f} MB, then {after:.0f} MB"
            )
    for kind, found_series in series.items():
        draw(results / f"people-{kind.lower()}.svg", f"People on {kind}: p99", "people", "ms", found_series)
    return "\n".join([*lines, "", *notes]) + "\n"
