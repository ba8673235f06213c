"""The tables that hold what is sealed, and what lies under which encryption key."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app.auth.encryption import EncryptionKeys, Place, Sealed
from app.database import Database, Row, Statement


class SealedTable(NamedTuple):
    """A table with sealed columns; they lie under the key that its `key_id` names."""

    name: str
    columns: tuple[str, ...]

    @property
    def holds(self) -> str:
        """The condition on a row that holds something; one whose values are gone lies under no key."""
        return f"({' OR '.join(f'{column} IS NOT NULL' for column in self.columns)})"

    def opened(self, keys: EncryptionKeys, row: Row) -> Iterator[tuple[Place, str]]:
        """What a row holds, in the clear, each with its place. Raises Unreadable."""
        for column in self.columns:
            if row[column] is not None:
                place = Place(self.name, row["id"], column)
                yield place, keys.open(Sealed(row["key_id"], row[column]), place)

    def unchanged(self, row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The condition that a row holds what was read, and what it is asked with."""
        found = {f"read_{column}": row[column] for column in self.columns if row[column] is not None}
        same = [f"{c} = {{read_{c}}}" if f"read_{c}" in found else f"{c} IS NULL" for c in self.columns]
        return f"id = {{id}} AND {' AND '.join(same)}", {"id": row["id"]} | found


SEALED = (
    SealedTable("integration_secret", ("value",)),
    SealedTable("integration_instance", ("sealed_config",)),
    SealedTable("integration_token", ("access_token", "refresh_token")),
    SealedTable("integration_oauth_state", ("verifier",)),
    SealedTable("idempotency_record", ("answer_body",)),
    SealedTable("integration_delivery", ("payload",)),
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
        text = (
            f"SELECT key_id, count(*) AS rows FROM {table.name} "  # noqa: S608 - own words
            f"WHERE key_id IS NOT NULL AND {table.holds} GROUP BY key_id"
        )
        found += [KeyUse(row["key_id"], table.name, row["rows"]) for row in await database.fetch(Statement(text))]
    return sorted(found)
