"""PostgreSQL connections as asyncpg makes them, less one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import asyncpg  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from app.database.postgres_pool import PostgresPool

Shape = Literal["rows", "affected"]


class PlainConnection(asyncpg.Connection):  # type: ignore[misc]
    """No reset query between uses: nothing here keeps session state (SET, LISTEN, temporary tables).

    `home` is the pool that it goes back to, and `idle_since` when it last did (monotonic seconds).
    """

    home: PostgresPool | None = None
    idle_since = 0.0

    def get_reset_query(self) -> str:
        return ""


async def run(connection: Any, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
    """One statement: its `rows` (asyncpg.Record), or the number of rows `affected`."""
    if shape == "rows":
        return await connection.fetch(sql, *args)
    # The tag of a command ends with the number of rows: `UPDATE 3`, `INSERT 0 1`, but `CREATE TABLE`.
    count = (await connection.execute(sql, *args)).rpartition(" ")[2]
    return int(count) if count.isdigit() else 0
