"""Blocks of the listed order: whatever moves, they say what a sorted list would say."""

from hypothesis import given
from hypothesis import strategies as st

from services.people.blocks import Blocks, Texts, count_hits, locate
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


@given(people, people, queries, st.integers(1, 7))
def test_blocks_follow_what_moves(before: dict[int, str], after: dict[int, str], typed: str, size: int) -> None:
    """From any people to any others: places, totals, counted and remembered hits are those of the sorted list."""
    query = fold_query(typed) or "a"
    blocks = cut(sorted(entry(*one) for one in before.items()), size)
    texts = [one for one in blocks.texts if one is not None]
    blocks.remember(query, count_hits(texts, query))
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
    known = [one for one in blocks.texts if one is not None]
    assert count_hits(known, longer, blocks.bound_of(longer)) == count_hits(known, longer)
    assert blocks.bound_of(f"\n{query[1:]}") is None
    expected = [key[1] for key, text in rows if query in text]
    hits = blocks.hits_of(query)
    assert hits is not None
    assert hits == count_hits([one for one in blocks.texts if one is not None], query)
    assert [one for place in range(len(hits)) for one in blocks.matching(place, query)] == expected


def test_texts_without_the_ids_line_are_searched_the_same() -> None:
    """The iD's own line is left out where it is there for all; a query finds the same people either way."""
    rows = [(orcid(n), search_text("Ana" if n % 2 else orcid(n), orcid(n))) for n in range(1, 300)]
    short, whole = Texts.of(rows), Texts.of([*rows, (orcid(300), "no line")])
    assert (short.without_ids, whole.without_ids) == (True, False)
    for query in ("ana", "a", "0", "0000-0", "x", "-", orcid(7).lower(), "zz", "an"):
        expected = [query in text for _, text in rows]
        assert short.found(query) == expected == whole.found(query)[:-1]
        assert short.count(query) == sum(expected)


def test_a_block_that_grows_or_loses_too_much_is_known() -> None:
    """Blocks that are far from their size are cut anew."""
    rows = [entry(number, f"n{number:02d}") for number in range(1, 9)]
    blocks = cut(sorted(rows), 2)
    assert not blocks.lopsided
    blocks.take(2, [Move(1, ("n03x", orcid(100 + number)), "") for number in range(9)])
    assert blocks.lopsided
    blocks.take(3, [Move(-1, ("n05", orcid(number)), "") for number in range(9)])
    assert blocks.lopsided
