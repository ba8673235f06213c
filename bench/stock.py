"""Stock Strawberry on the same rows: its own schema, executor and Litestar controller. `uvicorn bench.stock:app`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import strawberry
from litestar import Litestar
from strawberry.litestar import make_graphql_controller
from strawberry.scalars import JSON

_PEOPLE = (
    "SELECT orcid_id, name, biography, last_fetched_at, sync_status, publication_count FROM person "
    "WHERE tenant = $1 ORDER BY sort_name, id LIMIT $2"
)
_STATE: dict[str, Any] = {}


@strawberry.enum
class SyncStatus(Enum):
    PENDING = "pending"
    COMPLETE = "complete"
    FAILED = "failed"


@strawberry.type
class Person:
    orcid_id: str
    name: JSON
    biography: JSON | None
    last_fetched_at: datetime | None
    sync_status: SyncStatus
    publication_count: int


@strawberry.type
class People:
    nodes: list[Person]


def _person(row: Any) -> Person:
    at = row["last_fetched_at"]
    return Person(
        orcid_id=row["orcid_id"],
        name=msgspec.json.decode(row["name"]),
        biography=row["biography"] and msgspec.json.decode(row["biography"]),
        last_fetched_at=None if at is None else datetime.fromtimestamp(at / 1_000, UTC),
        sync_status=SyncStatus(row["sync_status"]),
        publication_count=row["publication_count"],
    )


@strawberry.type
class Query:
    @strawberry.field
    async def people(self, first: int) -> People:
        rows = await _STATE["pool"].fetch(_PEOPLE, UUID(os.environ["DOVETAIL_BENCH_TENANT"]), first)
        return People(nodes=[_person(row) for row in rows])


@asynccontextmanager
async def _pool(_: Litestar) -> AsyncIterator[None]:
    _STATE["pool"] = await asyncpg.create_pool(os.environ["DOVETAIL_BENCH_URL"], min_size=4, max_size=4)
    yield
    await _STATE["pool"].close()


app = Litestar([make_graphql_controller(strawberry.Schema(Query), path="/graphql")], lifespan=[_pool])
