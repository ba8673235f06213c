"""A running application on a real database, and short ways to make what a test needs in it.

Each test works in a tenant of its own, so tests share one application and do not see each other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from app.asgi import Application, create_app
from app.auth.principal import shell_principal
from app.auth.signing import TokenRequest, issue_token
from app.database import bind
from app.database.migrating import migrate
from app.ids import new_id, new_request_id
from app.settings import load_settings
from models.piccolo_app import TABLES
from services.changes import hold_listing
from services.context import Context
from services.credentials import NewCredential, issue_credential
from services.installations import NewInstallation, create_installation
from services.installations.rows import find_installation
from services.origins.proofs import Proof
from services.origins.registry import register_origin
from services.origins.upkeep import settle_proof
from services.people.importing import import_records
from services.people.listing import refresh_people
from services.people.records import FullRecord, PersonRecord, Works
from services.tenants import create_tenant
from tests.contract.answers import judge

V1 = "/integrations/v1"
ALL_SCOPES = ["people.read", "publications.read", "works.read", "projects.read"]
FOUND = Proof(True, "The token was found.", "token", "token")


class World:
    """One tenant of a running application, acted on as its operator."""

    def __init__(self, app: Application, client: httpx.AsyncClient) -> None:
        self.app, self.client = app, client
        self.tenant = new_id()
        self.slug = f"t{self.tenant.hex[-12:]}"

    @property
    def runtime(self) -> Any:
        return self.app.runtime

    def context(self, tenant: UUID | None = None) -> Context:
        return Context(self.runtime, shell_principal(tenant or self.tenant, "test"), "cli", new_request_id())

    async def open(self) -> World:
        await create_tenant(self.context(), self.slug, "A tenant")
        return self

    def token(self, *roles: str, permissions: Sequence[str] = (), tenant: UUID | None = None, **more: Any) -> str:
        request = TokenRequest(
            tenant=tenant or self.tenant,
            user_id=more.pop("user_id", "ada"),
            roles=roles,
            permissions=permissions,
            ttl_seconds=more.pop("ttl_seconds", 3_600),
            **more,
        )
        return issue_token(self.runtime.signing_key, self.app.settings, self.runtime.clock, request)

    async def installation(self, *, verified: bool = True, **given: Any) -> dict[str, Any]:
        """An installation; active, with a verified origin, unless `verified` is False (then a draft)."""
        made = await create_installation(self.context(), NewInstallation(display_name="A site", **given))
        if verified:
            await self.origin(made["id"])
        return await find_installation(self.tenant, made["id"])

    async def origin(self, installation: UUID, name: str | None = None, *, verified: bool = True) -> dict[str, Any]:
        made = await register_origin(self.context(), installation, name or f"https://{new_id().hex}.example.org")
        return await settle_proof(self.context(), made, FOUND) if verified else made

    async def key(self, installation: UUID, scopes: Sequence[str] = ALL_SCOPES, **given: Any) -> Any:
        """An issued credential; its `.secret` is the key."""
        request = NewCredential(label="main", scopes=list(scopes), **given)
        return await issue_credential(self.context(), installation, request)

    async def ready_key(self, scopes: Sequence[str] = ALL_SCOPES, **given: Any) -> str:
        """The key of a fresh active installation."""
        return str((await self.key((await self.installation(**given))["id"], scopes)).secret)

    async def people(self, *records: PersonRecord, works: Works | None = None) -> list[Any]:
        return await import_records(self.context(), [FullRecord(record, works or Works()) for record in records])

    async def refresh(self, *people: UUID) -> None:
        """Make flags and totals true again after rows were changed by hand."""

        async def run() -> None:
            await refresh_people(await hold_listing(self.context()), people)

        await self.runtime.database.in_transaction(run)

    async def get(self, path: str, key: str | None = None, **headers: str) -> httpx.Response:
        """GET below `/integrations/v1`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(V1 + path, headers=given | ({"X-API-Key": key} if key is not None else {}))

    async def graphql(self, query: str, token: str | None = None, **variables: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)


@asynccontextmanager
async def running(url: str, home: Path, **settings: Any) -> AsyncIterator[tuple[Application, httpx.AsyncClient]]:
    """The whole application on a migrated database, without a network between."""
    # Nothing listens there: a test that does not name a server of its own must not reach ORCID's.
    settings.setdefault("orcid_base_url", "http://127.0.0.1:9")
    # A test that counts what a provider is asked is not to be interrupted.
    settings.setdefault("oauth2_refresh_idle", False)
    app = create_app(load_settings({}, home=home, database_url=url, log_level="error", **settings))
    await migrate(app.runtime.database)
    await app.start()
    transport = httpx.ASGITransport(app)
    try:
        hooks = {"response": [judge]}
        async with httpx.AsyncClient(transport=transport, base_url="http://dovetail.test", event_hooks=hooks) as client:
            yield app, client
    finally:
        # Another application may have bound the tables to its own database meanwhile.
        bind(app.runtime.database, TABLES)
        await app.stop()
