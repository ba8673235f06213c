"""Hand-written SQL: placeholders become numbered parameters, and nothing else of the text changes."""

import re
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.database import Database, Statement
from tests.databases import database, database_url  # noqa: F401

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(alphabet=st.characters(exclude_characters="{}$?"), max_size=12)


@given(st.lists(st.tuples(TEXTS, NAMES), max_size=8), TEXTS)
def test_each_name_is_one_number_and_the_text_stays(parts: list[tuple[str, str]], end: str) -> None:
    """Names are numbered in order of appearance, repeated names share a number, text is untouched."""
    statement = Statement("".join(f"{text}{{{name}}}" for text, name in parts) + end)
    names = list(dict.fromkeys(name for _, name in parts))
    values = {name: index for index, name in enumerate(names)}
    for dialect, mark in (("sqlite", "?"), ("postgres", "$")):
        expected = "".join(f"{text}{mark}{names.index(name) + 1}" for text, name in parts) + end
        assert statement.sql(dialect) == expected
        assert statement.arguments(dialect, values) == list(range(len(names)))


@given(st.lists(st.sampled_from(["{{", "}}", "x", " "]), max_size=12))
def test_doubled_braces_are_braces(parts: list[str]) -> None:
    """`{{` and `}}` stand for one brace each and are no placeholder."""
    statement = Statement("".join(parts))
    assert statement.names == ()
    assert statement.sql("sqlite") == "".join(part[0] for part in parts)


@pytest.mark.parametrize("template", ["{", "a } b", "{}", "{1}", "{a b}", "{{a}"])
def test_a_single_brace_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="single brace"):
        Statement(template)


@given(st.sets(NAMES, min_size=1, max_size=5), st.sets(NAMES, max_size=5))
def test_wrong_parameters_are_named(wanted: set[str], given_names: set[str]) -> None:
    """A TypeError names every missing and every unknown parameter, and there is none when they match."""
    statement = Statement(" ".join(f"{{{name}}}" for name in sorted(wanted)))
    params = dict.fromkeys(given_names, 1)
    if wanted == given_names:
        assert statement.arguments("postgres", params) == [1] * len(wanted)
        return
    with pytest.raises(TypeError) as refused:
        statement.arguments("postgres", params)
    words = set(re.findall(r"[a-z_0-9]+", str(refused.value).partition(": ")[2].rpartition(":")[0]))
    assert wanted ^ given_names <= words


def test_sqlite_gets_plain_values() -> None:
    statement, key = Statement("{a} {b} {c}"), uuid4()
    assert statement.arguments("sqlite", {"a": key, "b": True, "c": None}) == [str(key), 1, None]
    assert statement.arguments("postgres", {"a": key, "b": True, "c": None}) == [key, True, None]


async def test_rows_have_the_same_types_on_both_engines(database: Database) -> None:  # noqa: F811
    """A row answers by position and by name, with UUID, bool, int and text as such."""
    await database.execute(Statement("CREATE TABLE thing (id UUID PRIMARY KEY, ok BOOLEAN, n BIGINT, word TEXT)"))
    key, big = uuid4(), 2**53 + 1
    insert = Statement("INSERT INTO thing (id, ok, n, word) VALUES ({id}, {ok}, {n}, {word})")
    assert await database.execute(insert, id=key, ok=True, n=big, word="'{}'") == 1
    (row,) = await database.fetch(Statement("SELECT id, ok, n, word FROM thing WHERE id = {id}"), id=key)
    assert tuple(row) == (key, True, big, "'{}'")
    assert isinstance(row["id"], UUID)
    assert row["ok"] is True
    assert row["n"] == row[2]
    assert list(row.keys()) == ["id", "ok", "n", "word"]


async def test_execute_counts_rows(database: Database) -> None:  # noqa: F811
    """The count is that of the rows changed; DDL and no match count 0; WITH and RETURNING count as well."""
    assert await database.execute(Statement("CREATE TABLE thing (n INTEGER)")) == 0
    assert await database.execute(Statement("INSERT INTO thing (n) VALUES (1), (2), (3)")) == 3
    assert await database.execute(Statement("UPDATE thing SET n = n + 1 WHERE n > {n}"), n=1) == 2
    assert await database.execute(Statement("UPDATE thing SET n = 0 WHERE n > 99")) == 0
    assert (
        await database.execute(Statement("WITH a AS (SELECT 4 AS x) DELETE FROM thing WHERE n IN (SELECT x FROM a)"))
        == 1
    )
    assert await database.execute(Statement("DELETE FROM thing RETURNING n")) == 2
