"""The page cache by itself: bounded in bytes, least used first out, and never a page of another version."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.clock import SettableClock
from services.page_cache import MOST_SECONDS, Page, PageCache

A, B = UUID(int=1), UUID(int=2)
BOUND = 20_000


def spelled(number: int) -> tuple[str, bytes]:
    return "/people", b"page=%d" % number


def keep(cache: PageCache, tenant: UUID, number: int, version: int, size: int) -> Page:
    page = Page(b"%d." % version * (size // 2), number)
    cache.keep(tenant, spelled(number), b"people%d" % number, version, page)
    return page


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
            assert cache.find(tenant, spelled(number), version) is page
        assert cache.bytes <= BOUND
        assert cache.bytes == sum(kept.size for kept in cache._pages.values())
        for (whose, which), (good, kept_page) in last.items():
            assert cache.find(whose, spelled(which), good) in (None, kept_page)
            assert cache.find(whose, spelled(which), good + 1) is None


def test_the_page_asked_for_last_stays() -> None:
    cache = PageCache(SettableClock(), BOUND)
    keep(cache, A, 1, 1, 1_500)
    for number in range(2, 60):
        assert cache.find(A, spelled(1), 1) is not None
        keep(cache, A, number, 1, 1_500)
    assert cache.find(A, spelled(2), 1) is None


def test_a_large_page_and_a_long_query_are_not_kept() -> None:
    cache = PageCache(SettableClock(), BOUND)
    keep(cache, A, 1, 1, BOUND)
    cache.keep(A, ("/people", b"q=" + b"a" * 600), b"people", 1, Page(b"{}", 1))
    assert cache.bytes == 0
    assert cache.find(A, spelled(1), 1) is None


def test_spellings_are_bounded() -> None:
    cache = PageCache(SettableClock(), BOUND)
    for number in range(10_000):
        cache.keep(A, ("/people", b"x=%d" % number), b"people", 1, Page(b"{}", 1))
    assert len(cache._queries) <= 4_096
    assert len(cache._pages) == 1


def test_a_page_ends_by_the_time_that_passed_and_not_by_the_wall_clock() -> None:
    clock = SettableClock()
    cache = PageCache(clock, BOUND)
    page = keep(cache, A, 1, 1, 100)
    clock.jump(10**12)
    clock.advance(int(MOST_SECONDS * 1_000) - 1)
    assert cache.find(A, spelled(1), 1) is page
    clock.advance(1)
    assert cache.find(A, spelled(1), 1) is None


def test_none_are_kept_in_no_bytes() -> None:
    cache = PageCache(SettableClock(), 0)
    keep(cache, A, 1, 1, 0)
    assert cache.find(A, spelled(1), 1) is None
