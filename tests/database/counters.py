"""A table of numbered counters, for tests of transactions."""

from piccolo.columns import Integer
from piccolo.table import Table

from app.database import Database, Statement, bind


class Counter(Table):
    id = Integer(primary_key=True)
    n = Integer()


ADD = Statement("UPDATE counter SET n = n + 1 WHERE id = {id}")
READ = Statement("SELECT n FROM counter WHERE id = {id}")
WRITE = Statement("UPDATE counter SET n = {n} WHERE id = {id}")


async def with_counters(database: Database, rows: int = 2) -> None:
    bind(database, [Counter])
    await Counter.create_table().run()
    for number in range(1, rows + 1):
        await Counter.insert(Counter(id=number, n=0)).run()


async def value(database: Database, number: int = 1) -> int:
    (row,) = await database.fetch(READ, id=number)
    return int(row["n"])
