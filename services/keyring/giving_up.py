"""Rows that no key opens any more, and that an operator has named: they hold no key in use, and no rotation tells them.

What is sealed stays where it is, and is told as before to whoever needs it, until it is given anew or runs out.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from app.auth.encryption import GIVEN_UP, EncryptionKeys, Unreadable, UnreadableRow
from app.database import Database, Row, Statement
from app.errors import Conflict, NotFound, ValidationFailed
from services.context import Context
from services.keyring.resealing import unreadable_row
from services.keyring.sealed import SEALED, SealedTable

_TABLES = {table.name: table for table in SEALED}


class RowName(NamedTuple):
    """A row as a rotation names it: `table/id`."""

    table: SealedTable
    id: UUID


def read_row_name(text: str) -> RowName:
    """Raises ValidationFailed."""
    table, _, row = text.partition("/")
    try:
        return RowName(_TABLES[table], UUID(row))
    except (KeyError, ValueError):
        raise ValidationFailed({text: f"must be TABLE/ID, with a table of {', '.join(sorted(_TABLES))}"}) from None


async def unreadable_rows(database: Database, keys: EncryptionKeys, names: Sequence[RowName]) -> list[UnreadableRow]:
    """Why each of these rows does not open.

    Raises NotFound for one that is not there or holds nothing, and Conflict for one that opens, or was given up before.
    """
    return [_unreadable(keys, name, await _row(database, name)) for name in names]


async def give_up_row(context: Context, name: RowName) -> None:
    """Give one up, of the context's tenant. Raises what `unreadable_rows` does, or Conflict where it was changed."""

    async def change() -> None:
        row = await _row(context.database, name)
        found = _unreadable(context.runtime.encryption, name, row)
        same, given = name.table.unchanged(row)
        text = (
            f"UPDATE {found.table} SET key_id = {{given_up}} WHERE {same} AND key_id = {{key}} AND tenant = {{tenant}}"  # noqa: S608
        )
        given |= {"given_up": GIVEN_UP, "key": found.key, "tenant": context.tenant}
        if not await context.database.execute(Statement(text), **given):
            raise Conflict(f"{found.table}/{found.id} was changed meanwhile; look at it again.")
        before, after = {"key": found.key, "why": found.why}, {"key": GIVEN_UP}
        context.note(found.table, found.id, action="encryption_key.row_given_up", before=before, after=after)

    await context.write(change)


async def _row(database: Database, name: RowName) -> Row:
    table = name.table
    text = (
        f"SELECT id, tenant, key_id, {', '.join(table.columns)} FROM {table.name} "  # noqa: S608 - own words
        f"WHERE id = {{id}} AND key_id IS NOT NULL AND {table.holds}"
    )
    for row in await database.fetch(Statement(text), id=name.id):
        return row
    raise NotFound(f"There is no row {name.table.name}/{name.id} that holds anything sealed.")


def _unreadable(keys: EncryptionKeys, name: RowName, row: Row) -> UnreadableRow:
    if row["key_id"] == GIVEN_UP:
        raise Conflict(f"{name.table.name}/{name.id} was given up before.")
    try:
        list(name.table.opened(keys, row))
    except Unreadable as error:
        return unreadable_row(name.table.name, row, error)
    text = f"{name.table.name}/{name.id} opens under {row['key_id']}: a rotation brings it under the current key."
    raise Conflict(text)
