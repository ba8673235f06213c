"""Two consumers of a list: one that stops at the first refusal, and one that waits and asks again."""

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from app.cli.rollout_http import Site, Unreachable

#: Each list and what tells its rows apart.
LISTS = {"people": "orcid_id", "publications": "doi"}
_MOST_TRIES = 6
_LONGEST_WAIT = 120
_INJECTED_WAIT = 1
_UNTOLD_WAIT = 2


class Page(NamedTuple):
    """What came for one page; `body` is None where the answer was not a page."""

    status: int
    body: Mapping[str, Any] | None
    retry_after: int | None = None
    injected: bool = False
    code: str | None = None
    tag: str | None = None


class Walk:
    """What a consumer saw of one list, and where it stopped, if it did."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.total = 0
        self.requests = self.refusals = self.waited = 0
        self.stopped: dict[str, Any] | None = None

    @property
    def shut_out(self) -> bool:
        """The key has no scope for this list: a consumer of it never shows any of its rows."""
        return self.stopped is not None and self.stopped["code"] == "installation_scope_denied"

    def take(self, name: str, page: Page) -> int:
        """Keep the rows of a page; the number of pages."""
        assert page.body is not None
        self.seen.update(str(row[LISTS[name]]) for row in page.body[name])
        self.total = int(page.body["total"])
        return int(page.body["pages"])

    def stop(self, number: int, page: Page) -> None:
        self.stopped = {"page": number, "status": page.status, "code": page.code, "injected": page.injected}


class Faults(NamedTuple):
    """Refusals that are made up here: the same pages for every consumer, and only at the first try."""

    statuses: tuple[int, ...] = ()
    share: float = 0.2
    pages: tuple[int, ...] = ()
    seed: int = 0

    def of(self, name: str, number: int, attempt: int) -> Page | None:
        if not self.statuses or attempt > 1:
            return None
        chance = random.Random(f"{self.seed}:{name}:{number}")  # noqa: S311 - the same faults each time
        struck = number in self.pages if self.pages else chance.random() < self.share
        if not struck:
            return None
        return Page(chance.choice(self.statuses), None, _INJECTED_WAIT, injected=True)


class Consumer:
    """Asks for pages of a site, with the faults in between."""

    def __init__(self, site: Site, key: str, per_page: int, faults: Faults) -> None:
        self.site, self.key, self.per_page, self.faults = site, key, per_page, faults

    def page(self, name: str, number: int, attempt: int, query: str | None = None) -> Page:
        """Page `number` of a list; `query` says which one that is, where a number does not."""
        fault = self.faults.of(name, number, attempt)
        if fault is not None:
            return fault
        try:
            answer = self.site.ask(f"/{name}?{query or f'page={number}&per_page={self.per_page}'}", self.key)
        except Unreachable:
            return Page(0, None, code="unreachable")
        told = answer.headers.get("retry-after", "")
        wait = int(told) if told.isdigit() else None
        found = answer.json()
        if answer.status != 200 or not isinstance(found, dict) or not isinstance(found.get(name), list):
            return Page(answer.status, None, wait, code=answer.code())
        return Page(answer.status, found, tag=answer.headers.get("etag"))


def walk_naively(consumer: Consumer, name: str) -> Walk:
    """As the plugin does: page after page, and at the first answer that is no page it stops."""
    walk, number, pages = Walk(), 1, 1
    while number <= pages:
        page = consumer.page(name, number, 1)
        walk.requests += 1
        if page.body is None:
            walk.refusals += 1
            walk.stop(number, page)
            break
        pages = walk.take(name, page)
        number += 1
    return walk


def walk_carefully(consumer: Consumer, name: str, sleep: Callable[[float], None] = time.sleep) -> Walk:
    """The same walk, waiting for `Retry-After` at 429 and 5xx; it gives up after six tries of a page."""
    walk, number, pages = Walk(), 1, 1
    while number <= pages:
        page = tried(consumer, name, number, walk, sleep)
        if page.body is None:
            walk.stop(number, page)
            break
        pages = walk.take(name, page)
        number += 1
    return walk


def tried(
    consumer: Consumer, name: str, number: int, walk: Walk, sleep: Callable[[float], None], query: str | None = None
) -> Page:
    """A page, or the refusal that stays: one that waiting does not help, or the sixth."""
    for attempt in range(1, _MOST_TRIES + 1):
        page = consumer.page(name, number, attempt, query)
        walk.requests += 1
        if page.body is not None:
            return page
        walk.refusals += 1
        if attempt == _MOST_TRIES or not (page.status in (0, 429) or page.status >= 500):
            return page
        wait = _UNTOLD_WAIT**attempt if page.retry_after is None else page.retry_after
        wait = min(wait, _LONGEST_WAIT)
        walk.waited += wait
        if not page.injected:
            # An injected refusal has no quota behind it that would have to fill.
            sleep(wait)
    raise AssertionError("unreachable")
