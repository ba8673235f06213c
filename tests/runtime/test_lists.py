"""Publications, works and projects: sorts, filters, ties, and null values in the same place on both engines."""

from collections.abc import Callable
from typing import Any

import pytest

from models.people import Publication, Work
from services.people.records import FullRecord
from services.projects import ProjectFields, create_project
from tests.runtime.records import made, person, publication, work
from tests.runtime.surface import Surface
from tests.world import World

pytestmark = pytest.mark.runtime
Rows = list[dict[str, Any]]

PUBLICATIONS = [
    # number, date, year, type, cited, fetched
    (1, "2020-05-01", 2020, "journal-article", 5, 3_000),
    (2, None, None, "journal-article", 0, 1_000),
    (3, "2021-01-31", 2021, "book", 40, 2_000),
    (4, None, 2021, "data-set", 5, 2_000),
    (5, "1999-12-31", 1999, "book", 0, 5_000),
]


async def publications(world: World) -> str:
    """The publications above, by one person, and a key."""
    records = [
        publication(n, publication_date=date, publication_year=year, publication_type=kind)
        for n, date, year, kind, _, _ in PUBLICATIONS
    ]
    await world.people(person(1), works=made(records))
    for n, _, _, _, cited, at in PUBLICATIONS:
        values = {"cited_by_count": cited, "last_fetched_at": at}
        await Publication.of(world.tenant).update(values).where(Publication.doi == f"10.5555/dovetail.{n}")
    return await world.ready_key()


async def numbers(v1: Surface, key: str, query: str = "") -> list[int]:
    rows = (await v1.ok(f"/publications?per_page=100&{query}", key))["publications"]
    return [int(row["doi"].rpartition(".")[2]) for row in rows]


async def test_a_publication(v1: Surface, world: World) -> None:
    """All members of an item; the link is made from the DOI."""
    key = await publications(world)
    rows = (await v1.ok("/publications?publication_year=2020", key))["publications"]
    assert rows == [
        {
            "doi": "10.5555/dovetail.1",
            "title": {"en": "Publication 1"},
            "doi_url": "https://doi.org/10.5555/dovetail.1",
            "publication_date": "2020-05-01",
            "publication_year": 2020,
            "publication_type": "journal-article",
            "cited_by_count": 5,
            "last_fetched_at": 3_000,
        }
    ]


@pytest.mark.parametrize(
    ("sort", "descending"),
    [
        ("last_fetched_at", [[5], [1], [3, 4], [2]]),
        ("cited_by_count", [[3], [1, 4], [2, 5]]),
        ("publication_date", [[3], [1], [5], [2, 4]]),
    ],
)
async def test_publication_sorts(sort: str, descending: list[list[int]], v1: Surface, world: World) -> None:
    """Each sort both ways, the one the reverse of the other; without a date comes last going down, first going up."""
    key = await publications(world)
    down = await numbers(v1, key, f"sort={sort}&dir=desc")
    assert _grouped(down, descending) == descending
    assert await numbers(v1, key, f"sort={sort}&dir=asc") == down[::-1]
    assert await numbers(v1, key, f"sort={sort}") == down


def _grouped(found: list[int], groups: list[list[int]]) -> list[list[int]]:
    """What was found, cut and sorted as the groups of equal rank are."""
    cut, start = [], 0
    for group in groups:
        cut.append(sorted(found[start : start + len(group)]))
        start += len(group)
    return cut


async def test_the_default_sort_of_publications(v1: Surface, world: World) -> None:
    """The latest fetched first."""
    key = await publications(world)
    assert await numbers(v1, key) == await numbers(v1, key, "sort=last_fetched_at&dir=desc")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("publication_type=book", {3, 5}),
        ("publication_type=Book", set()),
        ("publication_type=", set()),
        ("publication_year=2021", {3, 4}),
        ("publication_year=0", set()),
        ("min_cited_by=0", {1, 2, 3, 4, 5}),
        ("min_cited_by=5", {1, 3, 4}),
        ("min_cited_by=2147483647", set()),
        ("publication_type=book&publication_year=2021&min_cited_by=40", {3}),
        ("q=PUBLICATION%203", {3}),
        ("q=dovetail.4", {4}),
        ("q=publication&publication_type=book", {3, 5}),
    ],
)
async def test_publication_filters(query: str, expected: set[int], v1: Surface, world: World) -> None:
    """Filters narrow together, and `total` is theirs."""
    key = await publications(world)
    found = await v1.ok(f"/publications?{query}", key)
    assert {int(row["doi"].rpartition(".")[2]) for row in found["publications"]} == expected
    assert found["total"] == len(expected)


async def test_a_doi_is_shown_once(v1: Surface, world: World) -> None:
    """Two authors of one publication make one row, counted for both."""
    shared = made([publication(1)])
    await world.people(person(1), works=shared)
    await world.people(person(2), works=shared)
    key = await world.ready_key()
    assert await numbers(v1, key) == [1]
    assert [p["publication_count"] for p in (await v1.ok("/people", key))["people"]] == [1, 1]


@pytest.mark.parametrize("path", ["/publications", "/works"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_pages_with_ties_lose_nothing(path: str, direction: str, v1: Surface, world: World) -> None:
    """Rows that are equal in the sort are still each on exactly one page."""
    records = made([publication(n) for n in range(23)], [work(n) for n in range(23)])
    await world.people(person(1), works=records)
    key = await world.ready_key()
    member = "doi" if path == "/publications" else "title"
    sort = "cited_by_count" if path == "/publications" else "publication_year"
    seen = []
    for page in range(1, 6):
        found = await v1.ok(f"{path}?per_page=5&page={page}&sort={sort}&dir={direction}", key)
        seen += [row[member] for row in found[path[1:]]]
    assert len(seen) == len(set(seen)) == 23


WORKS = [
    (1, "2020-01-01", 2020, "report"),
    (2, None, None, "report"),
    (3, "2022", 2022, "software"),
    (4, None, 2022, "x"),
]


async def works(world: World) -> str:
    records = [work(n, publication_date=d, publication_year=y, work_type=t) for n, d, y, t in WORKS]
    await world.people(person(1), works=made(works=records))
    for n, *_ in WORKS:
        await Work.of(world.tenant).update({"created_at": n * 1_000}).where(Work.title == f"Work {n}")
    return await world.ready_key()


async def titles(v1: Surface, key: str, query: str = "") -> list[int]:
    return [int(row["title"][5:]) for row in (await v1.ok(f"/works?{query}", key))["works"]]


async def test_works(v1: Surface, world: World) -> None:
    """Sorts, filters and the form of an item; a work has no DOI."""
    key = await works(world)
    assert await titles(v1, key) == [4, 3, 2, 1]
    assert await titles(v1, key, "dir=asc") == [1, 2, 3, 4]
    assert _grouped(await titles(v1, key, "sort=publication_date&dir=desc"), [[3], [1], [2, 4]]) == [[3], [1], [2, 4]]
    assert _grouped(await titles(v1, key, "sort=publication_year&dir=asc"), [[2], [1], [3, 4]]) == [[2], [1], [3, 4]]
    assert await titles(v1, key, "work_type=report") == [2, 1]
    assert await titles(v1, key, "publication_year=2022") == [4, 3]
    assert await titles(v1, key, "q=WORK%202") == [2]
    [found] = (await v1.ok("/works?q=work%201", key))["works"]
    assert found | {"id": ""} == {
        "id": "", "title": "Work 1", "work_type": "report", "publication_date": "2020-01-01", "publication_year": 2020,
        "doi": None, "url": None, "created_at": 1_000,
    }  # fmt: skip


async def test_projects(v1: Surface, world: World) -> None:
    """By title without regard to case; found by title and acronym; dates as days."""
    for title, more in (
        ("beta", {"acronym": "BTX", "funder": "A fund", "start_date": "2020-01-01", "end_date": "2021-12-31"}),
        ("Álpha", {"status": "completed"}),
        ("Gamma", {}),
    ):
        await create_project(world.context(), ProjectFields(title=title, **more))  # type: ignore[arg-type]
    key = await world.ready_key()
    found = await v1.ok("/projects", key)
    assert [p["title"] for p in found["projects"]] == ["Álpha", "beta", "Gamma"]
    assert found["total"] == 3
    assert found["projects"][1] | {"id": ""} == {
        "id": "", "title": "beta", "acronym": "BTX", "funder": "A fund", "start_date": "2020-01-01",
        "end_date": "2021-12-31", "status": "active",
    }  # fmt: skip
    for query, expected in (("alpha", ["Álpha"]), ("btx", ["beta"]), ("MM", ["Gamma"]), ("nothing", [])):
        page = await v1.ok(f"/projects?q={query}", key)
        assert ([p["title"] for p in page["projects"]], page["total"]) == (expected, len(expected))


Maker = Callable[[int], Any]


@pytest.mark.parametrize("path", ["/people", "/publications", "/works", "/projects"])
async def test_no_list_shows_more_than_is_asked_for(path: str, v1: Surface, world: World) -> None:
    """A page holds `per_page` rows at most, and the statement behind it is one."""
    for n in range(1, 5):
        await world.people(person(n), works=made([publication(n)], [work(n)]))
        await create_project(world.context(), ProjectFields(title=f"Project {n}"))
    key = await world.ready_key()
    await v1.ok("/installation", key)
    with world.runtime.database.count_statements() as log:
        found = await v1.ok(f"{path}?per_page=3", key)
    assert (len(found[path[1:]]), found["total"], found["pages"]) == (3, 4, 2)
    assert len([text for text in log.texts if "audit_" not in text and "job" not in text]) <= 2


async def test_a_second_import_changes_nothing(v1: Surface, world: World) -> None:
    """The same records again give the same rows under the same ids."""
    from services.people.importing import import_records

    records = [FullRecord(person(n), made([publication(n)], [work(n)])) for n in range(1, 4)]
    await import_records(world.context(), records)
    key = await world.ready_key()
    before = [await v1.ok(path, key) for path in ("/works", "/people")]
    await import_records(world.context(), records)
    after = [await v1.ok(path, key) for path in ("/works", "/people")]
    assert [w["id"] for w in after[0]["works"]] == [w["id"] for w in before[0]["works"]]
    assert [p["orcid_id"] for p in after[1]["people"]] == [p["orcid_id"] for p in before[1]["people"]]
    assert (await v1.ok("/publications", key))["total"] == 3
