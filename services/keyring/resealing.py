"""How everything that is sealed is brought under the current key.

A row is rewritten only where it still holds what was read, so that servers go on meanwhile, and a rotation that was
killed is simply begun again. A row that does not open is left as it is and told: it must not keep the others under a
key that is to go.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID

from app.auth.encryption import GIVEN_UP, EncryptionKeys, Place, Sealed, Unreadable, UnreadableRow
from app.database import Database, Row, Statement
from services.keyring.sealed import SEALED, SealedTable

_BATCH = 200


class Resealed(NamedTuple):
    """How many rows were rewritten, or would be; and those that do not open."""

    rows: int
    unreadable: list[UnreadableRow]


async def reseal(database: Database, keys: EncryptionKeys) -> Resealed:
    """Bring everything that opens under the current key."""
    rows, unreadable = 0, []
    for table in SEALED:
        async for row in _rows(database, table, keys.current):
            try:
                rows += await _reseal_row(database, keys, table, row)
            except Unreadable as error:
                unreadable.append(unreadable_row(table.name, row, error))
    return Resealed(rows, unreadable)


async def try_reseal(database: Database, keys: EncryptionKeys, *, current_too: bool) -> Resealed:
    """What a rotation would find, with `current_too` one that adds a key; nothing is changed."""
    rows, unreadable = 0, []
    for table in SEALED:
        async for row in _rows(database, table, None if current_too else keys.current):
            try:
                rows += bool(list(table.opened(keys, row)))
            except Unreadable as error:
                unreadable.append(unreadable_row(table.name, row, error))
    return Resealed(rows, unreadable)


def unreadable_row(table: str, row: Row, error: Unreadable) -> UnreadableRow:
    return UnreadableRow(table, row["id"], row["tenant"], row["key_id"], str(error))


async def _rows(database: Database, table: SealedTable, but: str | None) -> AsyncIterator[Row]:
    """The rows that hold something and were not given up, without those under the key `but`."""
    text = (
        f"SELECT id, tenant, key_id, {', '.join(table.columns)} FROM {table.name} "  # noqa: S608 - own words
        f"WHERE key_id NOT IN ({{but}}, {{given_up}}) AND {table.holds} AND id > {{after}} ORDER BY id LIMIT {{limit}}"
    )
    given, after = {"but": but or GIVEN_UP, "given_up": GIVEN_UP, "limit": _BATCH}, UUID(int=0)
    while rows := await database.fetch(Statement(text), after=after, **given):
        for row in rows:
            yield row
        after = rows[-1]["id"]


async def _reseal_row(database: Database, keys: EncryptionKeys, table: SealedTable, row: Row) -> int:
    sealed = sealed_under_one(keys, list(table.opened(keys, row)))
    same, given = table.unchanged(row)
    changes = ", ".join(f"{column} = {{{column}}}" for column in sealed)
    text = f"UPDATE {table.name} SET {changes}, key_id = {{new_key}} WHERE {same}"  # noqa: S608 - own words
    [new_key] = {each.key_id for each in sealed.values()}
    texts = {column: each.text for column, each in sealed.items()}
    return await database.execute(Statement(text), new_key=new_key, **texts, **given)


def sealed_under_one(keys: EncryptionKeys, opened: list[tuple[Place, str]]) -> dict[str, Sealed]:
    """By column, all under one key, as a row names one; the current key may change between two of them."""
    while True:
        sealed = {place.column: keys.seal(text, place) for place, text in opened}
        if len({each.key_id for each in sealed.values()}) == 1:
            return sealed
