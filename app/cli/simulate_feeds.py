"""Two consumers of v2: both walk by cursors and then ask for what changed; one stops at the first refusal."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from app.cli.rollout_http import Unreachable
from app.cli.simulate_walks import Consumer, Page, Walk, tried

#: Each list and what tells its rows apart.
FEEDS = {"people": "orcid_id", "publications": "doi", "works": "id", "projects": "id"}
_LOST = "full_sync_required"
#: (page of the whole sync, query)
Ask = Callable[[int, str], Page]


class Sync(Walk):
    """What a consumer has stored of one list: rows come, and tombstones take them away."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.number = name, 0
        self.since: int | None = None
        self.first: tuple[str, str] | None = None
        self.tombstones = self.full_syncs = self.not_modified = 0

    @property
    def lost_history(self) -> bool:
        return self.stopped is not None and self.stopped["code"] == _LOST

    def store(self, page: Page) -> str | None:
        """Keep what a page tells; the cursor of the next one."""
        assert page.body is not None
        for row in page.body[self.name]:
            key = str(row[FEEDS[self.name]])
            if row["deleted"]:
                self.tombstones += 1
                self.seen.discard(key)
            else:
                self.seen.add(key)
        cursor: str | None = page.body["next_cursor"]
        return cursor

    def begin_anew(self) -> None:
        self.full_syncs += 1
        self.stopped = None
        self.seen.clear()


def sync_naively(consumer: Consumer, name: str, since: int | None = None) -> Sync:
    """A walk and an increment; the first answer that is no page is the end, also 410."""
    sync = Sync(name)

    def ask(number: int, query: str) -> Page:
        page = _whole(consumer.page(name, number, 1, query), name)
        sync.requests += 1
        sync.refusals += page.body is None
        return page

    if _read(consumer, sync, ask, since):
        _read(consumer, sync, ask, sync.since)
    return sync


def sync_carefully(
    consumer: Consumer, name: str, since: int | None = None, sleep: Callable[[float], None] = time.sleep
) -> Sync:
    """The same, waiting for `Retry-After`, beginning anew at 410, and asking for page one with its tag."""
    sync = Sync(name)
    ask = partial(_patient, consumer, sync, sleep)
    if _settled(consumer, sync, ask, since):
        _ask_again(consumer, sync)
        _settled(consumer, sync, ask, sync.since)
    return sync


def _patient(consumer: Consumer, sync: Sync, sleep: Callable[[float], None], number: int, query: str) -> Page:
    return _whole(tried(consumer, sync.name, number, sync, sleep, query), sync.name)


def _settled(consumer: Consumer, sync: Sync, ask: Ask, since: int | None) -> bool:
    """Read what changed; everything, once, where that cannot be told any more."""
    if _read(consumer, sync, ask, since):
        return True
    if not sync.lost_history:
        return False
    sync.begin_anew()
    return _read(consumer, sync, ask, None)


def _read(consumer: Consumer, sync: Sync, ask: Ask, since: int | None) -> bool:
    """One walk to its end; False where it was stopped."""
    query = f"limit={consumer.per_page}" + ("" if since is None else f"&updated_since={since}")
    cursor: str | None = ""
    met: set[str] = set()
    while cursor is not None:
        sync.number += 1
        path = query + (f"&cursor={quote(cursor, safe='')}" if cursor else "")
        page = ask(sync.number, path)
        if page.body is None or cursor in met:
            sync.stop(sync.number, page if page.body is None else page._replace(code="cursor_repeated"))
            return False
        if page.tag and not cursor:
            sync.first = path, page.tag
        met.add(cursor)
        cursor = sync.store(page)
        sync.since = page.body["next_updated_since"]
    return True


def _ask_again(consumer: Consumer, sync: Sync) -> None:
    """Page one with its tag: 304 where nothing changed. An answer that is none changes nothing that is stored."""
    if sync.first is None:
        return
    query, tag = sync.first
    sync.requests += 1
    try:
        answer = consumer.site.ask(f"/{sync.name}?{query}", consumer.key, tag=tag)
    except Unreachable:
        sync.refusals += 1
        return
    sync.not_modified += answer.status == 304
    sync.refusals += answer.status >= 400


def _whole(page: Page, name: str) -> Page:
    """The page, or none where a member is missing that a consumer reads."""
    if page.body is None or (page.body.keys() >= _CURSORS and all(_is_row(row, name) for row in page.body[name])):
        return page
    return page._replace(body=None, code="not_a_page")


_CURSORS = {"next_cursor", "next_updated_since"}


def _is_row(row: Any, name: str) -> bool:
    return isinstance(row, dict) and "deleted" in row and FEEDS[name] in row
