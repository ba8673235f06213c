"""What lies under which encryption key, and how it is brought under the current one.

A row is rewritten only where it still holds what was read, so that servers go on meanwhile, and a rotation that was
killed is simply begun again.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from app.auth.encryption import EncryptionKeys, Place, Sealed
from app.database import Database, Row, Statement

_BATCH = 200


class SealedTable(NamedTuple):
    """A table with sealed columns; they lie under the key that its `key_id` names."""

    name: str
    columns: tuple[str, ...]


SEALED = (
    SealedTable("integration_secret", ("value",)),
    SealedTable("integration_token", ("access_token", "refresh_token")),
    SealedTable("integration_oauth_state", ("verifier",)),
    SealedTable("idempotency_record", ("answer_body",)),
)


class KeyUse(NamedTuple):
    """How many rows of a table lie under a key."""

    key_id: str
    table: str
    rows: int


async def key_uses(database: Database) -> list[KeyUse]:
    """Every key that anything lies under, table by table."""
    found: list[KeyUse] = []
    for table in SEALED:
        text = f"SELECT key_id, count(*) AS rows FROM {table.name} WHERE key_id IS NOT NULL GROUP BY key_id"  # noqa: S608
        found += [KeyUse(row["key_id"], table.name, row["rows"]) for row in await database.fetch(Statement(text))]
    return sorted(found)


async def reseal(database: Database, keys: EncryptionKeys) -> int:
    """Bring everything under the current key; the number of rows that were rewritten. Raises Unreadable."""
    return sum([await _reseal_table(database, keys, table) for table in SEALED])


async def _reseal_table(database: Database, keys: EncryptionKeys, table: SealedTable) -> int:
    columns = ", ".join(table.columns)
    text = (
        f"SELECT id, key_id, {columns} FROM {table.name} "  # noqa: S608 - own words
        "WHERE key_id <> {current} AND id > {after} ORDER BY id LIMIT {limit}"
    )
    done, after = 0, UUID(int=0)
    while rows := await database.fetch(Statement(text), current=keys.current, after=after, limit=_BATCH):
        for row in rows:
            done += await _reseal_row(database, keys, table, row)
        after = rows[-1]["id"]
    return done


async def _reseal_row(database: Database, keys: EncryptionKeys, table: SealedTable, row: Row) -> int:
    given: dict[str, Any] = {}
    for column in table.columns:
        if row[column] is not None:
            place = Place(table.name, row["id"], column)
            sealed = keys.seal(keys.open(Sealed(row["key_id"], row[column]), place), place)
            given |= {column: sealed.text, f"old_{column}": row[column], "new_key": sealed.key_id}
    if not given:
        return 0
    changes = ", ".join(f"{column} = {{{column}}}" for column in table.columns if column in given)
    same = " AND ".join(_same(table, given))
    text = f"UPDATE {table.name} SET {changes}, key_id = {{new_key}} WHERE id = {{id}} AND {same}"  # noqa: S608
    return await database.execute(Statement(text), id=row["id"], **given)


def _same(table: SealedTable, given: dict[str, Any]) -> Iterator[str]:
    for column in table.columns:
        yield f"{column} = {{old_{column}}}" if column in given else f"{column} IS NULL"
