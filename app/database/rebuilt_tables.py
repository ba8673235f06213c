"""One table of SQLite built anew: rows, hand-written indexes and triggers come along."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.base import Column
from piccolo.columns.defaults.uuid import UUID4, UUID7
from piccolo.table import Table

from app.database.sqlite_ddl import create_indexes, create_table, rows_of
from app.database.sqlite_engine import SqliteEngine

_NUMBERS = ("INTEGER", "BIGINT", "SMALLINT", "REAL", "DOUBLE", "NUMERIC")
# Piccolo's own default for UUIDs means nothing to SQLite.
_RANDOM_UUID = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || "
    "substr('89AB', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)


class Rebuild:
    """The change of one table; `table` is the class as the migration leaves it."""

    def __init__(self, manager: MigrationManager, table: type[Table], engine: SqliteEngine) -> None:
        self.manager, self.table, self.engine = manager, table, engine
        self.class_name, self.name = table.__name__, table._meta.tablename
        self.columns: dict[str, Column] = {column._meta.db_column_name: column for column in table._meta.columns}
        self.renamed = {
            change.new_db_column_name: change.old_db_column_name
            for change in manager.rename_columns.for_table_class_name(self.class_name)
        }
        self.old_names = {self.name} | {
            change.old_tablename for change in manager.rename_tables if change.new_class_name == self.class_name
        }

    async def run(self) -> None:
        await self._rename_columns()
        kept = await self._hand_written()
        new = f"_new_{self.name}"
        await create_table(self.table, new, self.engine, indexes=False)
        await self._copy(new)
        await self.engine.run_ddl(f'DROP TABLE "{self.name}"')
        # Legacy, or the rename would look for the dropped table in triggers and views elsewhere.
        await self.engine.run_ddl("PRAGMA legacy_alter_table=ON")
        await self.engine.run_ddl(f'ALTER TABLE "{new}" RENAME TO "{self.name}"')
        await self.engine.run_ddl("PRAGMA legacy_alter_table=OFF")
        await create_indexes(self.table, self.engine)
        for sql in kept:
            await self.engine.run_ddl(sql)
        await self._refuse_words_for_numbers()

    async def _present(self) -> list[str]:
        return [row["name"] for row in await rows_of(self.engine, f'PRAGMA table_info("{self.name}")')]

    async def _rename_columns(self) -> None:
        """SQLite renames a column in indexes, triggers and foreign keys too."""
        for new, old in self.renamed.items():
            if new in await self._present():
                await self._rename_column(new, f"_dropped_{new}")
            await self._rename_column(old, new)

    async def _rename_column(self, old: str, new: str) -> None:
        await self.engine.run_ddl(f'ALTER TABLE "{self.name}" RENAME COLUMN "{old}" TO "{new}"')

    async def _copy(self, new: str) -> None:
        present = await self._present()
        pairs = [(f'"{name}"', f'"{name}"') for name in self.columns if name in present]
        pairs += [
            (f'"{name}"', _RANDOM_UUID)
            for name, column in self.columns.items()
            if name not in present and isinstance(getattr(column, "default", None), UUID4 | UUID7)
        ]
        # Full-text tables may refer to rows by rowid; an INTEGER primary key is the rowid already.
        if self.table._meta.primary_key.column_type != "INTEGER":
            pairs.append(("rowid", "rowid"))
        into, out = (", ".join(side) for side in zip(*pairs, strict=True))
        await self.engine.run_ddl(f'INSERT INTO "{new}" ({into}) SELECT {out} FROM "{self.name}" ORDER BY rowid')  # noqa: S608

    async def _hand_written(self) -> list[str]:
        """The SQL of indexes that Piccolo did not make, then of triggers."""
        found = await rows_of(
            self.engine,
            f"SELECT type, name, sql FROM sqlite_master WHERE tbl_name = '{self.name}' "  # noqa: S608
            "AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type, name",
        )
        lost = await self._on_dropped_columns()
        kept = [row for row in found if row["type"] == "trigger" or row["name"] not in lost]
        return [row["sql"] for row in kept if row["type"] == "trigger" or not await self._is_own(row["name"])]

    async def _on_dropped_columns(self) -> set[str]:
        """Names of indexes that go with a column, as in PostgreSQL.

        To create them and see would not tell: SQLite takes a quoted name without a column for a text.
        """
        dropped = [name for name in await self._present() if name not in self.columns]
        transaction = self.engine.live_transaction()
        if not dropped or transaction is None:
            return set()
        probe = await transaction.savepoint()
        for number, name in enumerate(dropped):
            await self._rename_column(name, f"_gone_{number}_")
        found = await rows_of(
            self.engine,
            f"SELECT name FROM sqlite_master WHERE tbl_name = '{self.name}' "  # noqa: S608
            "AND type = 'index' AND sql LIKE '%\"!_gone!_%' ESCAPE '!'",
        )
        await probe.rollback_to()
        await probe.release()
        return {row["name"] for row in found}

    async def _is_own(self, index: str) -> bool:
        """Whether Piccolo made the index and the snapshot decides whether it stays."""
        listed = await rows_of(self.engine, f'PRAGMA index_list("{self.name}")')
        facts = next(row for row in listed if row["name"] == index)
        names = [row["name"] for row in await rows_of(self.engine, f'PRAGMA index_info("{index}")')]
        if facts["unique"] or facts["partial"] or len(names) != 1 or names[0] is None:
            return False
        name = names[0]
        made = {f"{table}_{column}" for table in self.old_names for column in (name, self.renamed.get(name, name))}
        return index in made and (name not in self.columns or self._decides(name))

    def _decides(self, name: str) -> bool:
        altered = self.manager.alter_columns.for_table_class_name(self.class_name)
        return bool(self.columns[name]._meta.index) or any(
            change.db_column_name == name and "index" in change.params for change in altered
        )

    async def _refuse_words_for_numbers(self) -> None:
        """A cast that PostgreSQL refuses leaves text in a number column of SQLite."""
        for change in self.manager.alter_columns.for_table_class_name(self.class_name):
            column = self.columns.get(change.db_column_name)
            if column is None or not column.column_type.startswith(_NUMBERS):
                continue
            name = change.db_column_name
            sql = f"SELECT count(*) AS n FROM \"{self.name}\" WHERE typeof(\"{name}\") IN ('text', 'blob')"  # noqa: S608
            if (await rows_of(self.engine, sql))[0]["n"]:
                raise ValueError(f"{self.name}.{name} holds values that are not numbers")
