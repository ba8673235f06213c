"""PostgreSQL connections as asyncpg makes them, less one round trip."""

from collections.abc import Sequence
from typing import Any, Literal

import asyncpg  # type: ignore[import-untyped]

Shape = Literal["rows", "affected"]


class PlainConnection(asyncpg.Connection):  # type: ignore[misc]
    """No reset query on release: nothing here keeps session state (SET, LISTEN, temporary tables)."""

    def get_reset_query(self) -> str:
        return ""


async def run(connection: Any, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
    """One statement: its `rows` (asyncpg.Record), or the number of rows `affected`."""
    if shape == "rows":
        return await connection.fetch(sql, *args)
    # The tag of a command ends with the number of rows: `UPDATE 3`, `INSERT 0 1`, but `CREATE TABLE`.
    count = (await connection.execute(sql, *args)).rpartition(" ")[2]
    return int(count) if count.isdigit() else 0
