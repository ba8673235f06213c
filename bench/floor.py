"""The floor: raw ASGI, asyncpg and msgspec; no key, no limit, no count, no log. `uvicorn bench.floor:app`."""

import os
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

_PEOPLE = (
    "SELECT orcid_id, name, biography, last_fetched_at, sync_status, publication_count FROM person "
    "WHERE tenant = $1 AND listed ORDER BY sort_name, orcid_id LIMIT $2 OFFSET $3"
)
_NESTED = """
SELECT json_build_object('data', json_build_object('installations', json_build_object('nodes', json_agg(row)))) FROM (
  SELECT i.id, i.display_name AS "displayName", i.status, i.created_at AS "createdAt",
    (SELECT json_agg(json_build_object('id', o.id, 'origin', o.origin, 'verificationStatus', o.verification_status)
      ORDER BY o.created_at) FROM origin o WHERE o.installation = i.id) AS origins,
    (SELECT json_agg(json_build_object('id', c.id, 'label', c.label, 'kid', c.kid, 'status', c.status)
      ORDER BY c.created_at) FROM credential c WHERE c.installation = i.id) AS credentials
  FROM installation i WHERE i.tenant = $1 ORDER BY i.created_at, i.id LIMIT 50) row
"""
_JSON = [(b"content-type", b"application/json")]


class _Person(msgspec.Struct):
    orcid_id: str
    name: msgspec.Raw
    biography: msgspec.Raw
    last_fetched_at: int
    sync_status: str
    publication_count: int


class _Page(msgspec.Struct):
    people: list[_Person]
    page: int


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    def get_reset_query(self) -> str:
        return ""


def _raw(text: str | None) -> msgspec.Raw:
    return msgspec.Raw(b"null" if text is None else text.encode())


class Floor:
    def __init__(self) -> None:
        self._tenant = UUID(os.environ["DOVETAIL_BENCH_TENANT"])
        self._pool: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        body = await (self._nested() if scope["path"] == "/nested" else self._people(scope))
        headers = [*_JSON, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        url = os.environ["DOVETAIL_BENCH_URL"]
        self._pool = await asyncpg.create_pool(url, min_size=4, max_size=4, connection_class=_Connection)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _people(self, scope: Any) -> bytes:
        query = dict(pair.split(b"=") for pair in scope["query_string"].split(b"&"))
        page, size = int(query[b"page"]), int(query[b"per_page"])
        rows = await self._pool.fetch(_PEOPLE, self._tenant, size, (page - 1) * size)
        people = [_Person(r[0], _raw(r[1]), _raw(r[2]), r[3], r[4], r[5]) for r in rows]
        return msgspec.json.encode(_Page(people, page))

    async def _nested(self) -> bytes:
        return str(await self._pool.fetchval(_NESTED, self._tenant)).encode()


app = Floor()
