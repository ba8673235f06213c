"""A load of writes against a server that will be killed, and what must be true of the database afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from typing import Any
from uuid import UUID

import httpx

from app.auth.signing import TokenRequest, issue_token
from app.database import Statement
from app.settings import Settings
from services.chain.verifying import verify_chain
from services.runtime import Runtime
from tests.resilience.processes import Server

WRITERS = 6
CREATE = "mutation($t: String!) { createProject(input: {title: $t}) { project { id } errors { code } } }"
_TENANT = Statement("SELECT id FROM tenant WHERE slug = 'killed'")
_PROJECTS = Statement("SELECT id, title, search_text, status, version FROM project WHERE tenant = {tenant}")
_TOTAL = Statement("SELECT total FROM tally WHERE tenant = {tenant} AND kind = 'projects'")
_EVENTS = Statement("SELECT resource_id FROM audit_event WHERE tenant = {tenant} AND action = 'project.created'")
_UNPLACED = Statement(
    "SELECT e.id FROM audit_event e LEFT JOIN audit_pending p ON p.event = e.id LEFT JOIN audit_seal s "
    "ON s.event = e.id WHERE e.tenant = {tenant} AND (p.event IS NULL) = (s.event IS NULL)"
)


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> Any:
    """The parts of a server in this process, without its duties."""
    runtime = Runtime(settings)
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.database.stop()


class Load:
    """Writers in one tenant. `acknowledged` holds every title that the server confirmed."""

    def __init__(self, server: Server, tenant: UUID, token: str) -> None:
        self.server, self.tenant, self.token = server, tenant, token
        self.acknowledged: list[str] = []
        self.stopped = False
        self._known = 0

    @classmethod
    async def prepared(cls, server: Server) -> Load:
        """A migrated home with one tenant, made by the command itself."""
        server.run("migrate")
        server.run("tenants", "create", "killed", "--name", "Killed")
        async with opened(server.settings) as runtime:
            tenant = UUID(str((await runtime.database.fetch(_TENANT))[0]["id"]))
            request = TokenRequest(
                tenant=tenant, user_id="ada", roles=["admin"], permissions=[], ttl_seconds=3_600, tier="premium"
            )
            return cls(server, tenant, issue_token(runtime.signing_key, server.settings, runtime.clock, request))

    def begin(self, name: str, *, lasting: bool = False) -> asyncio.Future[list[None]]:
        """Each writer makes projects until the server is gone; a `lasting` one goes on where it was a worker alone."""
        self.stopped, self._known = False, len(self.acknowledged)
        return asyncio.gather(*(self._write(f"{name} writer {number}", lasting) for number in range(WRITERS)))

    async def is_on(self) -> None:
        """Wait until this run has a confirmed row, so that the moments that follow are moments of a load."""
        async with asyncio.timeout(60):
            while len(self.acknowledged) == self._known:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.005)

    async def _write(self, name: str, lasting: bool) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=60) as client:
            for number in itertools.count(1):
                try:
                    body = {"query": CREATE, "variables": {"t": f"{name} {number}"}}
                    answer = (await client.post("/graphql", json=body)).json()
                except httpx.HTTPError:
                    if not lasting:
                        return
                else:
                    assert not answer.get("errors"), answer
                    self.acknowledged.append(f"{name} {number}")
                if self.stopped:
                    return

    async def check(self) -> int:
        """Every confirmed row is there once and whole, with its event; the tally is right; how many rows there are."""
        async with opened(self.server.settings) as runtime:
            rows = await runtime.database.fetch(_PROJECTS, tenant=self.tenant)
            titles = Counter(row["title"] for row in rows)
            assert not (lost := set(self.acknowledged) - set(titles)), f"lost: {sorted(lost)[:5]}"
            assert not (double := [title for title, count in titles.items() if count > 1]), f"double: {double[:5]}"
            assert all(row["search_text"] == row["title"] and row["version"] == 1 for row in rows)
            total = await runtime.database.fetch(_TOTAL, tenant=self.tenant)
            assert (total[0]["total"] if total else 0) == len(rows)
            events = await runtime.database.fetch(_EVENTS, tenant=self.tenant)
            assert sorted(row["resource_id"] for row in events) == sorted(str(row["id"]) for row in rows)
            assert await runtime.database.fetch(_UNPLACED, tenant=self.tenant) == []
            return len(rows)

    async def check_chain(self) -> int:
        """The chain verifies once what was left unsealed is sealed; how many events it has."""
        async with opened(self.server.settings) as runtime:
            await runtime.sealer.seal_all()
            report = await verify_chain(runtime.database, runtime.audit_key, self.tenant, [])
            assert report.faults == []
            return report.events
