"""Databases of a measurement: made beside the one that was named, filled quickly, dropped afterwards."""

import asyncio
import contextlib
import os
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from app.ids import new_id
from app.settings import load_settings
from bench.data import Prepared, person, prepare

_COLUMNS = (
    "id", "tenant", "orcid_id", "name", "biography", "sort_name", "search_text", "last_fetched_at", "sync_status",
    "publication_count", "visible", "listed", "created_at", "updated_at",
)  # fmt: skip
_AT = 1_790_000_000_000


@contextlib.contextmanager
def fresh(kind: str, server: str, folder: Path, name: str) -> Iterator[str]:
    """The URL of an empty database of a kind, `SQLite` or `PostgreSQL`; gone at the end."""
    if kind == "SQLite":
        path = folder / f"{name}.sqlite"
        yield f"sqlite:///{path}"
        for file in folder.glob(f"{name}.sqlite*"):
            file.unlink()
        return
    found = urlsplit(server)
    # Two who measure on one server do not drop each other's.
    database = f"{found.path.strip('/')}_{name}_{os.getpid()}"
    asyncio.run(_run(server, f'DROP DATABASE IF EXISTS "{database}"', f'CREATE DATABASE "{database}"'))
    try:
        yield urlunsplit(found._replace(path=f"/{database}"))
    finally:
        asyncio.run(_run(server, f'DROP DATABASE "{database}" WITH (FORCE)'))


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


def fill(home: Path, url: str, people: int) -> Prepared:
    """Migrate, make a tenant with a key, and write its listed people past the service, their total with them."""
    prepared = asyncio.run(prepare(load_settings({}, home=home, database_url=url), 0, installations=1))
    rows = _rows(prepared.tenant, people)
    if url.startswith("sqlite"):
        _fill_sqlite(url, rows, prepared.tenant, people)
    else:
        asyncio.run(_fill_postgres(url, rows, prepared.tenant, people))
    return prepared


def _rows(tenant: Any, people: int) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(7)
    for number in range(people):
        one = person(number, chance, tenant, _AT)
        given = one | {
            "last_fetched_at": _AT, "sync_status": "complete", "publication_count": one["count"], "visible": True,
            "listed": True, "created_at": _AT, "updated_at": _AT,
        }  # fmt: skip
        yield tuple(given[name] for name in _COLUMNS)


def _fill_sqlite(url: str, rows: Iterator[tuple[Any, ...]], tenant: Any, people: int) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    # In order of the rows each index would be written all over; made afterwards, from front to back.
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'person' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    marks = ", ".join("?" * len(_COLUMNS))
    texts = ((str(row[0]), str(row[1]), *row[2:]) for row in rows)
    connection.executemany(f"INSERT INTO person ({', '.join(_COLUMNS)}) VALUES ({marks})", texts)
    for _, sql in indexes:
        connection.execute(sql)
    connection.execute(
        "INSERT INTO tally (id, tenant, kind, total) VALUES (?, ?, 'people', ?) "
        "ON CONFLICT (tenant, kind) DO UPDATE SET total = excluded.total",
        (str(new_id()), str(tenant), people),
    )
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def _fill_postgres(url: str, rows: Iterator[tuple[Any, ...]], tenant: Any, people: int) -> None:
    connection = await asyncpg.connect(url)
    await connection.copy_records_to_table("person", records=rows, columns=_COLUMNS)
    await connection.execute(
        "INSERT INTO tally (id, tenant, kind, total) VALUES ($1, $2, 'people', $3) "
        "ON CONFLICT (tenant, kind) DO UPDATE SET total = excluded.total",
        new_id(), tenant, people,
    )  # fmt: skip
    # With the map of what all can see: a scan of an index need not look at the rows.
    await connection.execute("VACUUM ANALYZE person")
    await connection.close()
