"""People on the wire: the seed's example, order, search in five scripts, pages, and the statements that they cost."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from models.people import Person
from services.people.records import FullRecord, PersonRecord
from tests.runtime.records import made, orcid, person, publication
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.runtime

#: Seed 000, word for word.
EXAMPLE: dict[str, Any] = {
    "people": [
        {
            "orcid_id": "0000-0002-1825-0097",
            "name": "Ada Lovelace",
            "biography": None,
            "last_fetched_at": 1762050000000,
            "sync_status": "complete",
            "publication_count": 12,
        },
        {
            "orcid_id": "0000-0001-2345-6789",
            "name": {"en": "Joao Silva", "pt": "Joao Silva"},
            "biography": {"en": "Researcher in marine ecology", "pt": "Investigador em ecologia marinha"},
            "last_fetched_at": 1762040000000,
            "sync_status": "complete",
            "publication_count": 7,
        },
    ],
    "page": 1,
    "per_page": 100,
    "total": 2,
    "pages": 1,
    "q": "",
}


async def store(world: World, *records: FullRecord) -> list[Any]:
    from services.people.importing import import_records

    return await import_records(world.context(), list(records))


async def fetched(world: World, orcid_id: str, at: int) -> None:
    await Person.of(world.tenant).update({"last_fetched_at": at}).where(Person.orcid_id == orcid_id)


async def names(v1: Surface, key: str, query: str = "") -> list[Any]:
    return [p["name"] for p in (await v1.ok(f"/people?per_page=100&q={quote(query)}", key))["people"]]


async def test_the_seeds_example(v1: Surface, world: World) -> None:
    """The example of the seed comes out value by value: Ada before Joao by name, although her iD is the greater."""
    ada = PersonRecord("0000-0002-1825-0097", "Ada Lovelace", None)
    joao = PersonRecord("0000-0001-2345-6789", EXAMPLE["people"][1]["name"], EXAMPLE["people"][1]["biography"])
    hers, his = [publication(n) for n in range(12)], [publication(n) for n in range(12, 19)]
    await store(world, FullRecord(joao, made(his)), FullRecord(ada, made(hers)))
    await fetched(world, "0000-0002-1825-0097", 1762050000000)
    await fetched(world, "0000-0001-2345-6789", 1762040000000)
    answer = await v1.get("/people?page=1&per_page=100&q=", await world.ready_key(["people.read"]))
    assert answer.status_code == 200
    assert answer.json() == EXAMPLE
    # The members come in the order of the example too, name locales included.
    assert list(answer.json()) == list(EXAMPLE)
    assert [list(p) for p in answer.json()["people"]] == [list(p) for p in EXAMPLE["people"]]
    assert list(answer.json()["people"][1]["biography"]) == ["en", "pt"]


async def test_order(v1: Surface, world: World) -> None:
    """By display name without regard to case, then by iD; the display name of an object is its `en`."""
    given = [
        "beta",
        "Alpha",
        "ALPHA",
        {"de": "aaa", "en": "Gamma"},
        {"pt": "Delta"},
        "Émile",
        "zeta",
        "Straße",
        "strasse",
    ]
    await world.people(*(person(n, name) for n, name in enumerate(given, 1)))
    key = await world.ready_key()
    found = (await v1.ok("/people?per_page=100", key))["people"]
    shown = [p["name"] for p in found]
    assert shown == [
        "Alpha", "ALPHA", "beta", {"pt": "Delta"}, {"de": "aaa", "en": "Gamma"}, "Straße", "strasse", "zeta", "Émile",
    ]  # fmt: skip
    assert [p["orcid_id"] for p in found[:2]] == [orcid(2), orcid(3)]


SCRIPTS = {
    "Latin": ("João Gonçalves", ["joao", "JOÃO", "gonçal", "goncal", "ão g"]),
    "Greek": ("Ὑπατία Αλεξανδρινή", ["υπατια", "ΥΠΑΤΊΑ", "αλεξ"]),
    "Cyrillic": ("Софья Ковалевская", ["ковалев", "КОВАЛЕВ", "софья"]),
    "Arabic": ("محمد بن موسى الخوارزمي", ["الخوارزمي", "موسى"]),
    "Han": ("屠呦呦", ["屠", "呦呦"]),
}


@pytest.mark.parametrize("shape", ["text", "object"])
@pytest.mark.parametrize(("name", "queries"), SCRIPTS.values(), ids=SCRIPTS.keys())
async def test_search_in_five_scripts(name: str, queries: list[str], shape: str, v1: Surface, world: World) -> None:
    """A part of a name is found whatever its case and accents, in both shapes of a name and in every locale."""
    given = name if shape == "text" else {"en": "Somebody Else", "xx": name, "zz": None}
    await world.people(person(1, given), person(2, "Unrelated Nobody"))
    key = await world.ready_key()
    for query in queries:
        assert await names(v1, key, query) == [given], query
    assert await names(v1, key, "qqq") == []


async def test_search_by_orcid(v1: Surface, world: World) -> None:
    """The iD is searched too, whole and in part, and its X in either case."""
    number = next(n for n in range(1, 100) if orcid(n).endswith("X"))
    await world.people(person(number, "Ten"), person(number + 1, "Other"))
    key = await world.ready_key()
    for query in (orcid(number), orcid(number).lower(), orcid(number)[-9:]):
        assert await names(v1, key, query) == ["Ten"]


@pytest.mark.parametrize("sign", ["%", "_", "!", "\\", "'", '"', "*", "[a]", "%%", "!%"])
async def test_signs_are_text(sign: str, v1: Surface, world: World) -> None:
    """A sign that means something to LIKE or SQL is looked for as it is."""
    await world.people(person(1, f"With {sign} sign"), person(2, "Without any"))
    key = await world.ready_key()
    assert await names(v1, key, sign) == [f"With {sign} sign"]
    assert await names(v1, key, f"h {sign} s") == [f"With {sign} sign"]


async def test_search_is_by_substring_and_counts(v1: Surface, world: World) -> None:
    """`total` and `pages` are those of the search, on every page of it."""
    await world.people(*(person(n, f"{'Ada' if n % 2 else 'Bob'} {n:03d}") for n in range(1, 52)))
    key = await world.ready_key()
    first = await v1.ok("/people?q=ADA&per_page=10", key)
    assert (first["total"], first["pages"], len(first["people"])) == (26, 3, 10)
    last = await v1.ok("/people?q=ADA&per_page=10&page=3", key)
    assert (last["total"], last["pages"], len(last["people"])) == (26, 3, 6)
    assert await v1.ok("/people?q=ada&per_page=26", key) == await v1.ok("/people?q=Ada&per_page=26", key) | {"q": "ada"}


async def test_past_the_end(v1: Surface, world: World) -> None:
    """A page past the end is 200 and empty, with the same totals; so is the farthest page there is."""
    await world.people(*(person(n) for n in range(1, 8)))
    key = await world.ready_key()
    for query in ("", "&q=Person"):
        for page in (3, 4, 1_000_000, 2**53 - 1):
            found = await v1.ok(f"/people?per_page=5&page={page}{query}", key)
            assert (found["people"], found["total"], found["pages"], found["page"]) == ([], 7, 2, page)


async def test_an_exact_page(v1: Surface, world: World) -> None:
    """`pages` is the quotient rounded up: a full last page is no page more."""
    await world.people(*(person(n) for n in range(1, 11)))
    key = await world.ready_key()
    for per_page, pages in ((1, 10), (3, 4), (5, 2), (10, 1), (11, 1)):
        found = await v1.ok(f"/people?per_page={per_page}", key)
        assert (found["pages"], len(found["people"])) == (pages, min(per_page, 10))


async def test_somebody_who_waits_for_a_sync(v1: Surface, world: World) -> None:
    """Before its first sync a person is shown by its iD, as pending, last heard of when taken in."""
    from services.people.importing import import_people

    context = world.context()
    await import_people(context, [orcid(77)])
    [found] = (await v1.ok("/people", await world.ready_key()))["people"]
    assert (found["orcid_id"], found["name"], found["biography"]) == (orcid(77), orcid(77), None)
    assert found["sync_status"] in ("pending", "processing", "failed")
    assert abs(found["last_fetched_at"] - world.runtime.clock.now_ms()) < 60_000


async def test_text_that_json_must_escape(v1: Surface, world: World) -> None:
    """Quotes, line breaks and characters beyond the BMP pass through unharmed."""
    name = {"en": 'A "quoted" \\ name 🦀 \u2028', "x-klingon": None}
    biography = {"en": "two\nlines\tand </script> \u0645\u0631\u062d\u0628\u0627"}
    await world.people(person(1, name, biography))
    [found] = (await v1.ok("/people", await world.ready_key()))["people"]
    assert (found["name"], found["biography"]) == (name, biography)


def _own(texts: list[str]) -> list[str]:
    """The statements of the request; the duties of the server look for work meanwhile."""
    return [text for text in texts if not any(word in text for word in ("audit_", "job", "FROM tenant"))]


@pytest.mark.parametrize("query", ["", "&q=person", "&page=2", "&page=2&q=person"])
async def test_statements_of_a_page(query: str, v1: Surface, world: World) -> None:
    """One statement reads the page and at most one the total; a warm key costs none, the version one a second."""
    await world.people(*(person(n) for n in range(1, 31)))
    key = await world.ready_key()
    for per_page in (5, 20, 100):
        await v1.ok("/projects", key)
        with world.runtime.database.count_statements() as log:
            await v1.ok(f"/people?per_page={per_page}{query}", key)
        own = [text for text in _own(log.texts) if "change_head" not in text]
        assert len(own) <= 2, own
        assert len([text for text in own if " FROM person " in text and "count(" not in text.lower()]) == 1
        assert not [text for text in own if "credential" in text]


async def test_statements_of_a_cold_key(v1: Surface, world: World) -> None:
    """A key that was not seen lately costs one look-up and one for its origins."""
    key = await world.ready_key()
    world.runtime.keys.forget((await v1.ok("/installation", key)) and _any_installation(world))
    with world.runtime.database.count_statements() as log:
        await v1.ok("/people", key)
    assert len([text for text in log.texts if "FROM credential" in text]) == 1
    assert len([text for text in log.texts if "FROM origin" in text]) == 1


def _any_installation(world: World) -> Any:
    return next(opened.installation for _, opened in world.runtime.keys._warm.values() if opened.tenant == world.tenant)


async def test_totals_hold_under_concurrent_changes(v1: Surface, world: World) -> None:
    """The tally that gives `total` is right after many writers at once."""
    people = await world.people(*(person(n) for n in range(1, 31)))
    from services.people.curating import set_person_visibility

    await asyncio.gather(*(set_person_visibility(world.context(), p.person, False) for p in people[::3]))
    key = await world.ready_key()
    found = await v1.ok("/people?per_page=100", key)
    assert found["total"] == len(found["people"]) == 20
    await world.refresh(*(p.person for p in people))
    assert (await v1.ok("/people?per_page=100", key))["total"] == 20
