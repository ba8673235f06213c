"""The small parts: ids, scalars, loaders."""

import asyncio
from uuid import UUID

import pytest

from app.errors import ValidationFailed
from graph.loaders import MOST_KEYS, loader
from graph.relay import from_global_id, parse_global_id, to_global_id
from graph.request import GraphContext
from graph.scalars import JSON as JSON_VALUE
from graph.scalars import SCALARS, BigInt, Date, DateTime, LocalisedText

ID = UUID("01920000-0000-7000-8000-000000000001")


def test_ids_are_opaque_and_typed():
    """The same text for every spelling of a UUID; another type's id is refused by the argument's name."""
    text = to_global_id("Toy", ID)
    assert text == to_global_id("Toy", str(ID)) == to_global_id("Toy", ID.hex)
    assert from_global_id(text, "Toy") == ID
    assert parse_global_id(text) == ("Toy", ID)
    for wrong in ("", "x", "Ω", "AAAA", text[:-4], to_global_id("Other", ID), "=" * 9, "a" * 10_000):
        with pytest.raises(ValidationFailed) as caught:
            from_global_id(wrong, "Toy", "toyId")
        assert list(caught.value.details) == ["toyId"]


@pytest.mark.parametrize(
    ("scalar", "shown", "value"),
    [
        (DateTime, "2025-11-02T12:00:00.001Z", 1_762_084_800_001),
        (DateTime, "1969-12-31T23:59:59.999Z", -1),
        (Date, "2025-11-02", "2025-11-02"),
        (BigInt, 2**63 - 1, 2**63 - 1),
        (LocalisedText, {"en": "Physics"}, {"en": "Physics"}),
        (JSON_VALUE, {"a": [1, None, "x"]}, {"a": [1, None, "x"]}),
    ],
)
def test_scalars_there_and_back(scalar, shown, value):
    """What is read is what was shown."""
    assert SCALARS[scalar].serialize(value) == shown
    assert SCALARS[scalar].parse_value(shown) == value


@pytest.mark.parametrize(
    ("scalar", "wrong"),
    [
        (DateTime, "2025-11-02T12:00:00"),
        (DateTime, "yesterday"),
        (DateTime, 5),
        (DateTime, "0001-01-01T00:00:00+23:00"),
        (Date, "2025-02-30"),
        (Date, 20250230),
        (BigInt, 2**63),
        (BigInt, True),
        (BigInt, "5"),
        (BigInt, 1.5),
        (LocalisedText, {"en": 5}),
        (LocalisedText, "Physics"),
        (JSON_VALUE, {"a": 2**64}),
        (JSON_VALUE, [[[[[[[[[[[[]]]]]]]]]]]]),
    ],
)
def test_scalars_refuse(scalar, wrong):
    """With a rule in words, as graphql-core shows it."""
    with pytest.raises(ValueError, match="must"):
        SCALARS[scalar].parse_value(wrong)


async def test_a_loader_asks_once_for_what_is_wanted_at_once():
    """Keys of one turn are one call without repeats; the second wish is served from memory."""
    calls = []

    @loader
    async def squares(context, keys: list[int]) -> dict[int, int]:
        calls.append(list(keys))
        return {key: key * key for key in keys if key >= 0}

    graph = GraphContext(None)  # type: ignore[arg-type]
    assert await asyncio.gather(*(squares.load(graph, key) for key in (1, 2, 1, -5))) == [1, 4, 1, None]
    assert await squares.load(graph, 2) == 4
    assert calls == [[1, 2, -5]]
    graph.forget_loaded()
    assert await squares.load(graph, 2) == 4
    many = range(MOST_KEYS + 1)
    await asyncio.gather(*(squares.load(graph, key) for key in many))
    assert [len(call) for call in calls] == [3, 1, MOST_KEYS, 1] or sum(map(len, calls[2:])) == MOST_KEYS


async def test_a_loader_that_fails_fails_for_everybody():
    """Each who waits is told."""

    @loader
    async def broken(context, keys: list[int]) -> dict[int, int]:
        raise RuntimeError("away")

    graph = GraphContext(None)  # type: ignore[arg-type]
    results = await asyncio.gather(broken.load(graph, 1), broken.load(graph, 2), return_exceptions=True)
    assert [str(result) for result in results] == ["away", "away"]
