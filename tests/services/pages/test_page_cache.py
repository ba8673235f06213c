"""The page cache by itself: bounded in bytes, least used first out, and never a page of another version."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.clock import SettableClock
from services.page_cache import MOST_SECONDS, Page, PageCache, Query
from services.paging import OffsetRequest

A, B = UUID(int=1), UUID(int=2)
BOUND = 20_000


def keep(cache: PageCache, tenant: UUID, number: int, version: int, size: int) -> Page:
    page = Page(b"%d." % version * (size // 2), number)
    cache.keep(tenant, asked(cache, number), version, page)
    return page


def asked(cache: PageCache, number: int) -> Query:
    return cache.learn(("/people", b"page=%d" % number), "people", OffsetRequest(page=number))


STEPS = st.lists(
    st.tuples(st.sampled_from([A, B]), st.integers(1, 30), st.integers(1, 3), st.integers(0, 3_000)), max_size=120
)


@given(STEPS)
def test_it_holds_what_was_kept_last_and_no_more(steps: list[tuple[UUID, int, int, int]]) -> None:
    """What is found is what was kept last for that tenant, query and version; the bytes are counted right."""
    cache, last = PageCache(SettableClock(), BOUND), {}
    for tenant, number, version, size in steps:
        page = keep(cache, tenant, number, version, size)
        if len(page.body) + 600 < BOUND // 8:
            last[tenant, number] = (version, page)
            assert cache.find(tenant, asked(cache, number), version) is page
        assert cache.bytes <= BOUND
        assert cache.bytes == sum(kept.size for kept in cache._pages.values())
        for (whose, which), (good, kept_page) in last.items():
            assert cache.find(whose, asked(cache, which), good) in (None, kept_page)
            assert cache.find(whose, asked(cache, which), good + 1) is None


def test_the_page_asked_for_last_stays() -> None:
    cache = PageCache(SettableClock(), BOUND)
    keep(cache, A, 1, 1, 1_500)
    for number in range(2, 60):
        assert cache.find(A, asked(cache, 1), 1) is not None
        keep(cache, A, number, 1, 1_500)
    assert cache.find(A, asked(cache, 2), 1) is None


def test_a_large_page_and_a_long_spelling_are_not_kept() -> None:
    cache = PageCache(SettableClock(), BOUND)
    keep(cache, A, 1, 1, BOUND)
    assert cache.bytes == 0
    assert cache.find(A, asked(cache, 1), 1) is None
    long = ("/people", b"q=" + b"a" * 600)
    cache.learn(long, "people", OffsetRequest(q="a" * 200))
    assert cache.query_of(long) is None


def test_spellings_are_bounded() -> None:
    cache = PageCache(SettableClock(), BOUND)
    for number in range(10_000):
        query = cache.learn(("/people", b"x=%d" % number), "people", OffsetRequest())
        cache.keep(A, query, 1, Page(b"{}", 1))
    assert len(cache._queries) <= 4_096
    assert len(cache._pages) == 1


def test_what_is_asked_names_the_page() -> None:
    """Two lists, or two requests that differ in anything, have no page in common."""
    cache = PageCache(SettableClock(), BOUND)
    requests = [
        OffsetRequest(), OffsetRequest(page=2), OffsetRequest(per_page=2), OffsetRequest(q="2"),
        OffsetRequest(sort="a"), OffsetRequest(descending=False), OffsetRequest(filters={"a": 1}),
        OffsetRequest(filters={"a": "1"}), OffsetRequest(filters={"b": 1}),
    ]  # fmt: skip
    spelled = [(f"/{name}", b"%d" % number) for name in ("people", "works") for number in range(len(requests))]
    keys = {cache.learn(one, one[0][1:], requests[int(one[1])]).key for one in spelled}
    assert len(keys) == len(spelled)


def test_a_page_ends_by_the_time_that_passed_and_not_by_the_wall_clock() -> None:
    clock = SettableClock()
    cache = PageCache(clock, BOUND)
    page = keep(cache, A, 1, 1, 100)
    clock.jump(10**12)
    clock.advance(int(MOST_SECONDS * 1_000) - 1)
    assert cache.find(A, asked(cache, 1), 1) is page
    clock.advance(1)
    assert cache.find(A, asked(cache, 1), 1) is None


def test_none_are_kept_in_no_bytes() -> None:
    cache = PageCache(SettableClock(), 0)
    keep(cache, A, 1, 1, 0)
    assert cache.find(A, asked(cache, 1), 1) is None
