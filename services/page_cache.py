"""Pages of lists as they were sent, each good for one version of its tenant's data.

A page holds nothing of who asked: the caller is admitted, limited and counted on each request all the same, and
the key of a page begins with the tenant.
"""

from collections import OrderedDict
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app.clock import Clock

#: A bound for what moves no version: rows changed by hand, or by a release from before there were versions.
MOST_SECONDS = 60.0
#: What a page costs beside its body and its query.
_OVERHEAD_BYTES = 512
_MOST_SPELLINGS = 4_096
_LONGEST_SPELLING = 512

#: (version and path, query string) as they were sent: there are many for one page.
Spelling = tuple[str, bytes]


class Page(NamedTuple):
    """The body of an answer, how long the walk is that it begins (1 where it begins none), and its entity tag."""

    body: bytes
    walk: int
    tag: str = ""


class _Kept(NamedTuple):
    page: Page
    version: int
    until: float
    size: int


class Query(NamedTuple):
    """A query that was checked; `key` names the list and all that its answer depends on, whatever the spelling."""

    asked: Any
    key: bytes


class PageCache:
    """At most `most_bytes` of pages, those asked for last; 0 keeps none. Queries are remembered all the same."""

    def __init__(self, clock: Clock, most_bytes: int) -> None:
        self._clock, self.most_bytes = clock, most_bytes
        self.bytes = 0
        self._pages: OrderedDict[tuple[UUID, bytes], _Kept] = OrderedDict()
        self._queries: OrderedDict[Spelling, Query] = OrderedDict()

    def query_of(self, spelling: Spelling) -> Query | None:
        """What was asked in this spelling before, and passed."""
        return self._queries.get(spelling)

    def learn(self, spelling: Spelling, name: str, asked: Any) -> Query:
        """Remember a query of a list once it has passed; its answer must depend on `name` and `asked` alone."""
        query = self._queries.get(spelling)
        if query is None:
            query = Query(asked, name.encode() + msgspec.json.encode(asked))
            if len(spelling[1]) <= _LONGEST_SPELLING:
                self._queries[spelling] = query
                if len(self._queries) > _MOST_SPELLINGS:
                    self._queries.popitem(last=False)
        return query

    def find(self, tenant: UUID, query: Query, version: int) -> Page | None:
        """The page that was kept in this version of the data."""
        name = tenant, query.key
        kept = self._pages.get(name)
        if kept is None or kept.version != version or self._clock.monotonic() >= kept.until:
            return None
        self._pages.move_to_end(name)
        return kept.page

    def keep(self, tenant: UUID, query: Query, version: int, page: Page) -> None:
        """Keep a page; `version` was the data's before its rows were read."""
        size = len(page.body) + len(query.key) + _OVERHEAD_BYTES
        # One page must not push out all others.
        if size > self.most_bytes // 8:
            return
        name = tenant, query.key
        self._forget(name)
        self._pages[name] = _Kept(page, version, self._clock.monotonic() + MOST_SECONDS, size)
        self.bytes += size
        while self.bytes > self.most_bytes:
            self._forget(next(iter(self._pages)))

    def drop(self) -> None:
        """Keep no page any more of those that there are."""
        while self._pages:
            self._forget(next(iter(self._pages)))

    def _forget(self, name: tuple[UUID, bytes]) -> None:
        kept = self._pages.pop(name, None)
        if kept is not None:
            self.bytes -= kept.size
