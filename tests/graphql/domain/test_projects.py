"""Projects over GraphQL: made, changed, deleted and listed."""

from typing import Any

import pytest

from tests.graphql.domain.people_world import ask, statements
from tests.world import World

FIELDS = "project { id title acronym funder startDate endDate status version } errors { __typename code path message }"
CREATE = f"mutation ($input: ProjectInput!) {{ createProject(input: $input) {{ {FIELDS} }} }}"
UPDATE = f"""mutation ($id: ID!, $input: ProjectInput!, $version: Int) {{
  updateProject(id: $id, input: $input, version: $version) {{ {FIELDS} }} }}"""
DELETE = f"mutation ($id: ID!) {{ deleteProject(id: $id) {{ {FIELDS} }} }}"
LIST = """query ($filter: ProjectFilter, $sort: ProjectSort! = TITLE, $direction: SortDirection! = ASC) {
  projects(first: 50, filter: $filter, sort: $sort, direction: $direction) { totalCount nodes { title status } } }"""
ATLAS = {"title": "Ámbar atlas", "acronym": "AA", "startDate": "2026-01-01", "status": "PLANNED"}


async def create(world: World, **given: Any) -> Any:
    return (await ask(world, CREATE, input=given))["createProject"]


async def test_a_project_from_its_making_to_its_end(world: World) -> None:
    """Each change raises the version; a stale one is refused; after deletion there is nothing."""
    made = (await create(world, **ATLAS))["project"]
    assert made == {"id": made["id"], "funder": None, "endDate": None, "version": 1, **ATLAS}
    change = {"title": "Amber atlas", "endDate": "2027-01-01"}
    changed = (await ask(world, UPDATE, id=made["id"], input=change, version=1))["updateProject"]["project"]
    assert (changed["title"], changed["acronym"], changed["status"], changed["version"]) == (
        "Amber atlas", None, "ACTIVE", 2,
    )  # fmt: skip
    for version in (1, 3, 2_147_483_647, -1):
        stale = (await ask(world, UPDATE, id=made["id"], input=change, version=version))["updateProject"]
        assert stale["project"] is None
        assert (stale["errors"][0]["__typename"], stale["errors"][0]["code"]) == ("Conflict", "version_conflict")
    assert (await ask(world, DELETE, id=made["id"]))["deleteProject"]["project"] == changed
    gone = (await ask(world, DELETE, id=made["id"]))["deleteProject"]
    assert (gone["project"], gone["errors"][0]["__typename"]) == (None, "NotFound")
    assert await ask(world, "query ($id: ID!) { project(id: $id) { id } node(id: $id) { id } }", id=made["id"]) == {
        "project": None,
        "node": None,
    }


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"title": " "}, ["title"]),
        ({"title": "x" * 501}, ["title"]),
        ({"title": "x", "acronym": "x" * 61}, ["acronym"]),
        ({"title": "x", "startDate": "2026-01-02", "endDate": "2026-01-01"}, ["endDate"]),
    ],
)
async def test_a_wrong_field_is_named(world: World, given: Any, path: list[str]) -> None:
    refused = await create(world, **given)
    assert refused["project"] is None
    assert (refused["errors"][0]["__typename"], refused["errors"][0]["path"]) == ("ValidationError", path)


async def test_the_longest_titles_of_every_script_are_taken(world: World) -> None:
    """Folding lengthens some texts many times; an index entry is bounded all the same."""
    for character in ("각", "ﷺ", "ộ", "𠀋"):
        assert (await create(world, title=character * 500, acronym=character * 60))["errors"] == []


async def test_projects_are_searched_filtered_and_sorted(world: World) -> None:
    for given in (ATLAS, {"title": "Zebra", "status": "COMPLETED"}, {"title": "bee"}):
        await create(world, **given)

    async def titles(**variables: Any) -> list[str]:
        return [node["title"] for node in (await ask(world, LIST, **variables))["projects"]["nodes"]]

    assert await titles() == ["Ámbar atlas", "bee", "Zebra"]
    assert await titles(direction="DESC") == ["Zebra", "bee", "Ámbar atlas"]
    assert await titles(sort="CREATED_AT") == ["Ámbar atlas", "Zebra", "bee"]
    assert await titles(filter={"q": "ambar"}) == await titles(filter={"q": "AA"}) == ["Ámbar atlas"]
    assert await titles(filter={"status": "COMPLETED"}) == ["Zebra"]
    assert await statements(world, LIST) == 2  # the page, and its total
