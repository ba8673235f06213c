"""The ledger's rows: one for each client, operation, element and day."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from app.database import Database, Statement
from app.ids import new_id

CONTROL_PLANE = "control-plane"
#: The paths of the former API answer for a version of a contract that has the same operations.
_SERVED_AS = {"v1": ("integrations", "v1")}
_AT_ONCE = 100
_LONGEST_CLIENT = 200


class ElementRow(NamedTuple):
    """`element` is empty for the operation itself; on GraphQL `operation` is empty."""

    tenant: UUID
    client: str
    kind: str
    api: str
    version: str
    operation: str
    element: str
    day: str


_COLUMNS = ("id", *ElementRow._fields, "count")


def contract_of(api: str) -> tuple[str, str]:
    """`integrations/v2` as API and version; an API without versions has an empty one."""
    name, _, version = api.partition("/")
    return _SERVED_AS.get(api, (name, version))


def served_as(api: str) -> list[str]:
    """The names under which the operations of a version are noted: its own, and those of former paths."""
    return [api, *(name for name, contract in _SERVED_AS.items() if "/".join(contract) == api)]


def client_name(name: str) -> str:
    """A client as it fits in an index; a name that is too long keeps its beginning and is told apart by a digest."""
    if len(name) <= _LONGEST_CLIENT:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{name[: _LONGEST_CLIENT - 17]}~{digest}"


@lru_cache(maxsize=_AT_ONCE)
def _insert(size: int) -> Statement:
    rows = (", ".join(f"{{{name}_{number}}}" for name in _COLUMNS) for number in range(size))
    values = ", ".join(f"({row})" for row in rows)
    return Statement(
        f"INSERT INTO contract_use ({', '.join(_COLUMNS)}) VALUES {values} "  # noqa: S608 - own words
        "ON CONFLICT (tenant, api, version, operation, element, client, kind, day) "
        "DO UPDATE SET count = contract_use.count + excluded.count"
    )


async def write_rows(database: Database, counts: Counter[ElementRow]) -> None:
    """Add the counts to the rows, in the order of the rows, so that two writers do not wait for each other."""
    rows = sorted(counts.items())
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        params = {f"{name}_{n}": value for n, row in enumerate(part) for name, value in _named(*row)}
        await database.execute(_insert(len(part)), **params)


def _named(row: ElementRow, count: int) -> Iterator[tuple[str, object]]:
    named: Mapping[str, object] = {"id": new_id(), **row._asdict(), "count": count}
    yield from named.items()
