"""Blocks of the listed order: whatever moves, they say what a sorted list would say."""

import asyncio
from array import array

from hypothesis import given
from hypothesis import strategies as st

from services.people.blocks import Blocks, locate
from services.people.counting import count_hits
from services.people.held_texts import Needle, Texts
from services.people.moves import Move
from services.people.names import fold_query, search_text, sort_key
from tests.runtime.records import orcid

LETTERS = "aAbzZ éßİıſΣς-01xX%_!\\字🦀́"
names = st.text(LETTERS, min_size=1, max_size=8).filter(str.strip)
people = st.dictionaries(st.integers(1, 60), names, max_size=40)
queries = st.one_of(st.text(LETTERS, min_size=1, max_size=3), st.sampled_from(["0000-0", "x", "-", "001", "a"]))


def entry(number: int, name: str) -> tuple[tuple[str, str], str]:
    return (sort_key(name), orcid(number)), search_text(name, orcid(number))


def cut(rows: list[tuple[tuple[str, str], str]], size: int) -> Blocks:
    """Blocks with their texts, as the database would give them."""
    firsts = [key for key, _ in rows[::size]] or [("", "")]
    blocks = Blocks(1, firsts, len(rows), size)
    fill(blocks, rows)
    return blocks


def fill(blocks: Blocks, rows: list[tuple[tuple[str, str], str]]) -> None:
    bounds = [*blocks.firsts, None]
    for place in blocks.empty_places():
        low, high = bounds[place], bounds[place + 1]
        own = [(key[1], text) for key, text in rows if key >= low and (high is None or key < high)]
        blocks.texts[place] = Texts.of(own)


def cut_as(blocks: Blocks, rows: list[tuple[tuple[str, str], str]]) -> Blocks:
    """Other blocks of the same bounds, which remember nothing."""
    other = Blocks(1, blocks.firsts, len(rows), 1)
    fill(other, rows)
    return other


def counted(blocks: Blocks, query: str) -> "array[int] | None":
    return asyncio.run(count_hits(blocks, query, asyncio.Lock()))


@given(people, people, queries, st.integers(1, 7))
def test_blocks_follow_what_moves(before: dict[int, str], after: dict[int, str], typed: str, size: int) -> None:
    """From any people to any others: places, totals, counted and remembered hits are those of the sorted list."""
    query = fold_query(typed) or "a"
    blocks = cut(sorted(entry(*one) for one in before.items()), size)
    assert counted(blocks, query) == blocks.hits_of(query)
    moves = [Move(-1, *entry(*one)) for one in before.items()] + [Move(1, *entry(*one)) for one in after.items()]
    blocks.take(2, moves)
    rows = sorted(entry(*one) for one in after.items())
    fill(blocks, rows)
    assert (blocks.at, blocks.total) == (2, len(rows))
    keys = [key for key, _ in rows]
    for offset in range(len(rows)):
        found = locate(blocks.counts, offset)
        assert found is not None
        assert sum(key < blocks.firsts[found[0]] for key in keys) + found[1] == offset
    assert locate(blocks.counts, len(rows)) is None
    longer = query + "a"
    assert counted(blocks, longer) == counted(cut_as(blocks, rows), longer)
    assert blocks.bound_of(f"\n{query[1:]}") is None
    expected = [key[1] for key, text in rows if query in text]
    hits = blocks.hits_of(query)
    assert hits is not None
    assert hits == counted(cut_as(blocks, rows), query)
    assert [one for place in range(len(hits)) for one in blocks.matching(place, query)] == expected


def test_texts_without_the_ids_line_are_searched_the_same() -> None:
    """The iD's own line is left out where it is there for all; a query finds the same people either way."""
    rows = [(orcid(n), search_text("Ana" if n % 2 else orcid(n), orcid(n))) for n in range(1, 300)]
    short, whole = Texts.of(rows), Texts.of([*rows, (orcid(300), "no line")])
    assert (short.without_ids, whole.without_ids) == (True, False)
    for query in ("ana", "a", "0", "0000-0", "x", "-", orcid(7).lower(), "zz", "an"):
        expected = [query in text for _, text in rows]
        needle = Needle.of(query)
        assert list(short.found(needle)) == expected == list(whole.found(needle)[:-1])
        assert short.count(needle) == sum(expected)


@given(st.lists(names, max_size=70), queries)
def test_a_count_is_of_people_and_not_of_places(given_names: list[str], typed: str) -> None:
    """However often a query stands in a text or an iD, and whether it stands in few texts or in all."""
    rows = [(orcid(n), search_text(name, orcid(n))) for n, name in enumerate(given_names, 1)]
    query = fold_query(typed) or "a"
    for texts in (Texts.of(rows), Texts.of([(orcid_id, text + " ") for orcid_id, text in rows])):
        expected = [query in text for _, text in rows]
        assert list(texts.found(Needle.of(query))) == expected
        assert texts.count(Needle.of(query)) == sum(expected)


async def test_who_moves_while_hits_are_counted_is_counted() -> None:
    """The count goes on, and is true when it ends."""
    before = sorted(entry(number, f"ana {number:02d}") for number in range(1, 9))
    blocks = cut(before, 2)
    with blocks.counting("ana") as hits:
        blocks.take(2, [Move(-1, *before[0]), Move(1, *entry(20, "ana 20")), Move(1, *entry(21, "bea"))])
        hits[:] = array("q", [2, 2, 2, 2])
    assert list(hits) == [1, 2, 2, 3]
    assert blocks.hits_of("ana") is hits
    blocks.take(3, [Move(-1, *before[1])])
    assert list(hits) == [0, 2, 2, 3]


async def test_others_have_their_turn_while_hits_are_counted() -> None:
    """A search of many people is counted in slices; one at a time, and one that was counted meanwhile is not again."""
    rows = sorted(entry(number, f"ana {number:06d}") for number in range(1, 1_000))
    blocks = cut(rows, 500)
    one = blocks.texts[1]
    many = Blocks(1, [blocks.firsts[0], *[blocks.firsts[1]] * 3_000], 0, 500)
    many.texts = [one] * len(many.texts)
    turns, turn = 0, asyncio.Lock()
    search = asyncio.gather(*(count_hits(many, "ana 0", turn) for _ in range(3)))
    while not search.done():
        turns += 1
        await asyncio.sleep(0)
    first, second, third = search.result()
    assert first is second is third
    assert first is not None and set(first) == {499}
    assert turns > 3


def test_a_block_that_grows_or_loses_too_much_is_known() -> None:
    """Blocks that are far from their size are cut anew."""
    rows = [entry(number, f"n{number:02d}") for number in range(1, 9)]
    blocks = cut(sorted(rows), 2)
    assert not blocks.lopsided
    blocks.take(2, [Move(1, ("n03x", orcid(100 + number)), "") for number in range(9)])
    assert blocks.lopsided
    blocks.take(3, [Move(-1, ("n05", orcid(number)), "") for number in range(9)])
    assert blocks.lopsided
