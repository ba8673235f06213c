"""After a restore consumers of `/integrations/v2` begin anew, however the database came back."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped]
import httpx

from tests.cli.conftest import Cli
from tests.databases import missing, postgres_program
from tests.world import running

CREATE = "mutation($t: String!) { createProject(input: {title: $t}) { project { id } errors { code } } }"


class Consumer:
    """Follows the projects of the demo; the server runs while a method does."""

    def __init__(self, cli: Cli, url: str) -> None:
        made = cli.ok("demo")
        self.cli, self.url, self.key, self.token = cli, url, made["api_key"], made["token"]
        self.since: int | None = None

    async def _in_turn(self, *titles: str) -> httpx.Response:
        async with running(self.url, self.cli.home) as (_, client):
            for title in titles:
                given = {"query": CREATE, "variables": {"t": title}}
                made = await client.post("/graphql", json=given, headers={"Authorization": f"Bearer {self.token}"})
                assert made.json()["data"]["createProject"]["errors"] == []
            query = "" if self.since is None else f"&updated_since={self.since}"
            return await client.get(f"/integrations/v2/projects?limit=100{query}", headers={"X-API-Key": self.key})

    def reads(self, *titles: str) -> list[Any]:
        """What it is told of after projects of these titles were made."""
        answer = asyncio.run(self._in_turn(*titles))
        assert answer.status_code == 200, answer.text
        self.since = answer.json()["next_updated_since"]
        return [project["title"] for project in answer.json()["projects"]]

    def refused(self, *titles: str) -> tuple[int, str]:
        answer = asyncio.run(self._in_turn(*titles))
        return answer.status_code, answer.json()["code"]


async def emptied(url: str) -> None:
    """An empty database of the same name."""
    name = urlsplit(url).path.lstrip("/")
    server = await asyncpg.connect(url.replace(name, "postgres"))
    for statement in (f'DROP DATABASE "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" TEMPLATE template0'):
        await server.execute(statement)
    await server.close()


def put_back(cli: Cli, url: str, dump: Path) -> None:
    """As docs/tasks/back-up-and-restore.md has it."""
    asyncio.run(emptied(url))
    restore = postgres_program("pg_restore") or missing("pg_restore")
    subprocess.run([str(restore), "--no-owner", f"--dbname={url}", str(dump)], check=True)
    assert cli.ok("audit", "verify")["ok"]
    assert cli.ok("consumers", "resync") == {"resynced": ["demo"]}


def test_what_was_undone_is_not_kept(either_cli: Cli, tmp_path: Path) -> None:
    """Who read since the backup was made is refused, also when there were changes again; a full sync sees all."""
    cli, url = either_cli, either_cli.env["DOVETAIL_DATABASE_URL"]
    consumer, backup = Consumer(cli, url), tmp_path / "backup"
    consumer.reads()
    postgres = url.startswith("postgres")
    if postgres:
        dump = postgres_program("pg_dump") or missing("pg_dump")
        subprocess.run([str(dump), "--format=custom", f"--file={backup}", url], check=True)
    else:
        cli.ok("backup", "create", backup)
    assert consumer.reads("made after the backup") == ["made after the backup"]
    if postgres:
        put_back(cli, url, backup)
    else:
        cli.ok("backup", "restore", backup, "--force")
    assert consumer.refused("made after the restore") == (410, "full_sync_required")
    consumer.since = None
    assert "made after the restore" in (titles := consumer.reads())
    assert "made after the backup" not in titles
    assert consumer.reads("and on") == ["and on"]


def test_one_tenant_and_one_that_never_changed(either_cli: Cli) -> None:
    """Only the named one; a tenant without any change in the backup may have told of some since; both are recorded."""
    cli, url = either_cli, either_cli.env["DOVETAIL_DATABASE_URL"]
    consumer = Consumer(cli, url)
    consumer.reads()
    cli.ok("tenants", "create", "fresh")
    assert cli.ok("consumers", "resync", "--tenant", "fresh") == {"resynced": ["fresh"]}
    assert consumer.reads("goes on") == ["goes on"]
    assert cli.error("consumers", "resync", "--tenant", "nobody")["code"] == "not_found"
    assert cli("consumers", "resync").output == "The consumers of demo, fresh begin anew.\n"
    assert consumer.refused() == (410, "full_sync_required")
    events = cli.ok("audit", "list", "--tenant", "fresh")["events"]
    assert [event["action"] for event in events if event["action"].startswith("consumers")] == [
        "consumers.resynced"
    ] * 2
