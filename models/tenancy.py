"""Tenant tables are read through a tenant: `Person.of(tenant).select(...)`.

The plain query methods of such a table refuse to work, so that a forgotten tenant is an error at once
and not a leak.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from piccolo.columns import UUID as UUIDColumn
from piccolo.columns import BigInt, ForeignKey, Varchar
from piccolo.query.functions.aggregate import Count
from piccolo.query.methods.delete import Delete
from piccolo.query.methods.insert import Insert
from piccolo.query.methods.select import Select
from piccolo.query.methods.update import Update
from piccolo.table import Table

from app.ids import new_id

_Query = TypeVar("_Query")


class UnscopedAccess(TypeError):
    """A tenant table was read or written without a tenant."""


class Tenant(Table, tablename="tenant"):
    """A workspace: whose rows these are."""

    id = UUIDColumn(primary_key=True, default=new_id)
    slug = Varchar(length=63, unique=True, index=True)
    name = Varchar(length=200)
    created_at = BigInt()


def _refuse(method: str) -> Any:
    def refuse(cls: type[Table], *_: Any, **__: Any) -> NoReturn:
        raise UnscopedAccess(f"{cls.__name__}.{method} needs a tenant: {cls.__name__}.of(tenant).{method}(…)")

    return classmethod(refuse)


class TenantTable(Table):
    """A table whose rows belong to a tenant; see `Rows` for how it is read."""

    id = UUIDColumn(primary_key=True, default=new_id)
    tenant = ForeignKey(references=Tenant, index=True, null=False)

    select = _refuse("select")
    objects = _refuse("objects")
    count = _refuse("count")
    exists = _refuse("exists")
    update = _refuse("update")
    delete = _refuse("delete")
    insert = _refuse("insert")

    @classmethod
    def of(cls, tenant: UUID) -> "Rows":
        return Rows(cls, tenant)

    @classmethod
    def across_tenants(cls, reason: str) -> "Rows":
        """All rows, for the few duties that serve every tenant; the reason is for the reader."""
        if not reason:
            raise UnscopedAccess("reading across tenants needs a reason")
        return Rows(cls, None)


_chosen_ids: ContextVar[Mapping[str, UUID]] = ContextVar("chosen_ids", default=MappingProxyType({}))


@contextmanager
def chosen_id(table: type[TenantTable], row_id: UUID) -> Iterator[None]:
    """Within this block the one row that is inserted into the table has this id; for rows that documents name."""
    token = _chosen_ids.set({**_chosen_ids.get(), table._meta.tablename: row_id})
    try:
        yield
    finally:
        _chosen_ids.reset(token)


def id_for(table: type[TenantTable]) -> UUID:
    """The id of the row that is inserted next, for what must know it before."""
    return _chosen_ids.get().get(table._meta.tablename) or new_id()


class Rows:
    """The rows of one tenant (or, with a reason, of all) in one table."""

    __slots__ = ("_table", "_tenant")

    def __init__(self, table: type[TenantTable], tenant: UUID | None) -> None:
        self._table, self._tenant = table, tenant

    def _scoped(self, query: _Query) -> _Query:
        if self._tenant is not None:
            query.where(self._table.tenant == self._tenant)  # type: ignore[attr-defined]
        return query

    def select(self, *columns: Any) -> Select[Any]:
        query: Select[Any] = _plain(self._table, "select")(*columns)
        return self._scoped(query)

    async def count(self, *where: Any) -> int:
        rows = await self.select(Count(alias="count")).where(*where)
        return int(rows[0]["count"])

    async def exists(self, *where: Any) -> bool:
        return bool(await self.select(self._table.id).where(*where).limit(1))

    async def one(self, *columns: Any, where: Any) -> dict[str, Any] | None:
        """The first matching row, or None."""
        return await self.select(*columns).where(where).first()

    def update(self, values: dict[Any, Any]) -> Update[Any]:
        query: Update[Any] = _plain(self._table, "update")(values, force=True)
        return self._scoped(query)

    def delete(self) -> Delete:
        query: Delete = _plain(self._table, "delete")(force=True)
        return self._scoped(query)

    def insert(self, *rows: dict[str, Any]) -> Insert[Any]:
        """Insert rows of this tenant; an `id` is made where none is given."""
        if self._tenant is None:
            raise UnscopedAccess(f"a row of {self._table.__name__} belongs to one tenant")
        chosen = _chosen_ids.get().get(self._table._meta.tablename)
        given = {"tenant": self._tenant} if chosen is None else {"tenant": self._tenant, "id": chosen}
        made = [self._table(**{**row, **given}) for row in rows]
        query: Insert[Any] = _plain(self._table, "insert")(*made)
        return query


class SharedRows(Rows):
    """A tenant's rows and those that belong to nobody, which every tenant may read and none may change."""

    __slots__ = ()

    def _scoped(self, query: _Query) -> _Query:
        column: Any = self._table.tenant
        query.where((column == self._tenant) | column.is_null())  # type: ignore[attr-defined]
        return query

    def update(self, values: dict[Any, Any]) -> NoReturn:
        raise self._read_only()

    def delete(self) -> NoReturn:
        raise self._read_only()

    def insert(self, *rows: dict[str, Any]) -> NoReturn:
        raise self._read_only()

    def _read_only(self) -> UnscopedAccess:
        return UnscopedAccess(f"what is shared of {self._table.__name__} is only read here")


def insert_shared(table: type[TenantTable], row: dict[str, Any]) -> Insert[Any]:
    """Insert a row that belongs to nobody, and that every tenant sees; for what comes with the server."""
    query: Insert[Any] = _plain(table, "insert")(table(**{**row, "tenant": None}))
    return query


def _plain(table: type[TenantTable], method: str) -> Any:
    return getattr(Table, method).__func__.__get__(table)
