"""The sync loop that the documentation shows, run as it stands against a served contract."""

import asyncio
import io
import json
import urllib.error
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from services.people.curating import set_person_visibility
from services.projects import ProjectFields, create_project, delete_project
from tests.docs.pages import DOCS, blocks
from tests.runtime.records import made, orcid, person, publication
from tests.world import World

PAGE = DOCS / "operations" / "migrate-plugin-to-v2.md"
BASE = "http://dovetail.test"


class Site:
    """The example, with its requests led to the application; `fail_at` counts requests until one is refused."""

    def __init__(self, world: World, key: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.key, self.folder = world, key, folder
        self.loop = asyncio.get_running_loop()
        self.waited: list[float] = []
        self.fail_at: tuple[int, int] | None = None
        [code] = [block.body for block in blocks(PAGE) if block.language == "python"]
        self.module: dict[str, Any] = {"__name__": "sync"}
        exec(compile(code, str(PAGE), "exec"), self.module)
        monkeypatch.setattr("urllib.request.urlopen", self.urlopen)
        monkeypatch.setattr("time.sleep", self.waited.append)

    def urlopen(self, request: Any, timeout: float) -> Any:
        if self.fail_at is not None:
            left, status = self.fail_at
            self.fail_at = (left - 1, status) if left else None
            if not left:
                raise urllib.error.HTTPError(request.full_url, status, "", _headers({"Retry-After": "7"}), io.BytesIO())
        asked = self.world.client.get(request.full_url, headers=dict(request.header_items()))
        answer = asyncio.run_coroutine_threadsafe(asked, self.loop).result(timeout)
        if answer.status_code != 200:
            headers = _headers(dict(answer.headers))
            raise urllib.error.HTTPError(request.full_url, answer.status_code, "", headers, io.BytesIO(answer.content))
        return io.BytesIO(answer.content)

    async def run(self) -> None:
        await asyncio.to_thread(self.module["main"], BASE, self.key, self.folder)

    def rows(self, name: str) -> set[str]:
        return set(json.loads((self.folder / f"{name}.json").read_text())["rows"])


def _headers(given: dict[str, str]) -> Message:
    message = Message()
    for name, value in given.items():
        message[name] = value
    return message


async def test_the_example_follows_the_lists(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full the first time, then changes and tombstones; refusals that pass are waited for, others change nothing."""
    people = await world.people(*(person(n) for n in range(1, 104)), works=made([publication(1)]))
    project = await create_project(world.context(), ProjectFields(title="P"))
    site = Site(world, await world.ready_key(), tmp_path, monkeypatch)
    await site.run()
    assert site.rows("people") == {orcid(n) for n in range(1, 104)} and len(site.rows("projects")) == 1

    await set_person_visibility(world.context(), people[0].person, False)
    await delete_project(world.context(), project["id"])
    site.fail_at = (0, 500)
    with pytest.raises(urllib.error.HTTPError):
        await site.run()
    assert orcid(1) in site.rows("people")
    site.fail_at = (1, 429)
    await site.run()
    assert site.waited == [7]
    assert site.rows("people") == {orcid(n) for n in range(2, 104)} and site.rows("projects") == set()


async def test_the_example_begins_anew(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 410 it reads everything, and what is no longer listed goes without a tombstone."""
    from services.changes import forget_tombstones

    one, _ = await world.people(person(1), person(2))
    site = Site(world, await world.ready_key(), tmp_path, monkeypatch)
    await site.run()
    await set_person_visibility(world.context(), one.person, False)
    await world.people(person(3))
    assert await forget_tombstones(world.context(), world.runtime.clock.now_ms() + 60_000)
    await site.run()
    assert site.rows("people") == {orcid(2), orcid(3)}
