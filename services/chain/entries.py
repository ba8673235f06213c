"""One audit event: its fields, its canonical form, and how it is written."""

import functools
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
import rfc8785

from app.database import Database, Statement
from app.ids import new_id

Outcome = Literal["allow", "deny", "error"]
Surface = Literal["rest", "graphql", "agent", "system", "cli"]
#: Free text in an event is cut at this many characters: an event is a record, not a store.
LONGEST_TEXT = 2_000
_AT_ONCE = 50


class Entry(msgspec.Struct, kw_only=True):
    """One event as it is written; `before` and `after` are JSON-encodable, `at` is ms since the epoch."""

    tenant: UUID
    at: int
    actor_kind: str
    actor_id: str
    surface: Surface
    action: str
    outcome: Outcome
    request_id: str
    id: UUID = msgspec.field(default_factory=new_id)
    actor_name: str | None = None
    kid: str | None = None
    attribution: Literal["verified", "claimed"] = "verified"
    resource: str | None = None
    resource_id: str | None = None
    installation: UUID | None = None
    code: str | None = None
    rule: str | None = None
    expected: str | None = None
    seen: str | None = None
    before: str | None = None
    after: str | None = None
    repeats: int = 1


FIELDS = Entry.__struct_fields__
COLUMNS = (*FIELDS, "entry_mac")


def snapshot(value: Mapping[str, Any] | None) -> str | None:
    """A row as JSON text for `before` or `after`."""
    return None if value is None else msgspec.json.encode(value, order="deterministic").decode()


def canonical(fields: Mapping[str, Any]) -> bytes:
    """RFC 8785 bytes of an event's fields; ids as text, absent values as null."""
    return rfc8785.dumps({name: str(v) if isinstance(v, UUID) else v for name, v in fields.items()})


def mac(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def event_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an event that its macs cover, from a row or an entry."""
    return {name: row[name] for name in FIELDS}


def _cut(value: Any) -> Any:
    # A lone surrogate or a NUL would be refused by the database and lose the event.
    if not isinstance(value, str):
        return value
    clean = value.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return clean if len(clean) <= LONGEST_TEXT else clean[: LONGEST_TEXT - 1] + "\N{HORIZONTAL ELLIPSIS}"


def to_row(entry: Entry, key: bytes) -> dict[str, Any]:
    """The columns of an event, its own mac among them: an edit before sealing is found too."""
    raw = msgspec.structs.asdict(entry)
    fields = {name: value if name in ("before", "after") else _cut(value) for name, value in raw.items()}
    return fields | {"entry_mac": mac(key, canonical(fields))}


async def write_entries(database: Database, entries: Sequence[Entry], key: bytes) -> None:
    """Insert events in the caller's transaction."""
    for start in range(0, len(entries), _AT_ONCE):
        part = entries[start : start + _AT_ONCE]
        await _insert(database, "audit_event", [to_row(entry, key) for entry in part])
        await _insert(database, "audit_pending", [{"event": entry.id, "tenant": entry.tenant} for entry in part])


async def _insert(database: Database, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    inserting = _inserting(table, tuple(rows[0]), len(rows))
    values = {f"{name}_{number}": value for number, row in enumerate(rows) for name, value in row.items()}
    await database.execute(inserting, **values)


@functools.cache
def _inserting(table: str, columns: tuple[str, ...], count: int) -> Statement:
    """Written out and not built by the query builder: it runs in each transaction that changes something."""
    rows = (", ".join(f"{{{name}_{number}}}" for name in columns) for number in range(count))
    values = ", ".join(f"({row})" for row in rows)
    return Statement(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}")  # noqa: S608 - own words
