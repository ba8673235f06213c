"""The saved operations about people and what they made, run as they stand on the data of the demo."""

from typing import Any

import msgspec
import pytest

from graph.documents import Documents
from graph.manifest import load_manifest
from graph.schema import build_schema, core
from services.demo.people import add_people, add_projects
from tests.world import World

DOMAINS = {"people", "publications", "works", "projects"}
LISTING: list[dict[str, Any]] = msgspec.json.decode(load_manifest(Documents(core(build_schema()))).listing)
SAVED = {saved["name"]: saved for saved in LISTING if saved["domain"] in DOMAINS}


@pytest.mark.parametrize("name", SAVED)
async def test_a_saved_operation_works_without_edits(world: World, name: str) -> None:
    """It has a title, is answered without an error, and finds or makes something."""
    await add_people(world.context())
    await add_projects(world.context())
    saved = SAVED[name]
    assert saved["title"] != name
    answer = (await world.graphql(saved["query"], world.token("admin"), **saved["variables"])).json()
    assert "errors" not in answer
    ((_, found),) = answer["data"].items()
    assert found["nodes"] if "nodes" in found else found.get("errors", []) == []


def test_there_is_one_for_each_thing_that_is_done_every_day() -> None:
    assert set(SAVED) >= {"ListPeople", "SearchPeople", "PersonWithPublications", "ImportPeople", "SetPersonVisibility"}
    assert set(SAVED) >= {"ListPublications", "WorksToReview", "ListProjects"}
