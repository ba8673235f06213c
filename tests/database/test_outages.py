"""Outages are `Unavailable` on every path, and pass by themselves; gates are fair."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.database import Database, Statement, bind, open_database, sqlite_connections, sqlite_engine
from app.database.gates import Gate
from app.database.sql_words import only_reads
from app.errors import Unavailable
from tests.database.counters import ADD, READ, Counter, value, with_counters
from tests.databases import database, database_url, fresh_url  # noqa: F401
from tests.endings import killed, next_line

KILL = Statement(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)

WORKING = Statement(
    "SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND (state = 'idle in transaction' OR query LIKE '%pg_sleep%' AND state = 'active')"
)


async def _comes_to(beside: Database, counted: Statement, number: int) -> None:
    async with asyncio.timeout(60):
        while (await beside.fetch(counted))[0]["count"] < number:  # noqa: ASYNC110 - the other is a server
            await asyncio.sleep(0.01)


@pytest.mark.postgres
async def test_terminated_backends_are_replaced(tmp_path: Path) -> None:
    """Idle, busy and in a transaction: those at work get Unavailable, and then the pool is whole again."""
    with fresh_url("postgres", tmp_path) as url:
        database, other = open_database(url), open_database(url)
        await database.start()
        await with_counters(database)

        killed = asyncio.Event()

        async def in_block() -> None:
            async with database.transaction():
                await database.execute(ADD, id=1)
                await killed.wait()
                await database.execute(ADD, id=1)

        busy = database.fetch(Statement("SELECT pg_sleep(120)"))
        piccolo = Counter.raw("SELECT pg_sleep(120)").run()
        tasks = [asyncio.create_task(work) for work in (busy, piccolo, in_block())]
        await _comes_to(other, WORKING, 3)
        await other.fetch(KILL)
        killed.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [Unavailable] * 3
        assert all(result.__cause__ is not None for result in results)
        assert database.engine.live_transaction() is None
        await other.fetch(KILL)
        async with asyncio.timeout(60):
            while not all(connection.is_closed() for connection in database.engine.pool._all):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert await asyncio.gather(*(value(database) for _ in range(12))) == [0] * 12
        await database.stop()


@pytest.mark.parametrize(
    "url",
    ["sqlite:////no/such/folder/file.sqlite", "postgresql://nobody@127.0.0.1:1/nothing"],
    ids=["sqlite", "postgres"],
)
async def test_nothing_there_is_unavailable(url: str) -> None:
    """Making the database connects nowhere; each use of it says Unavailable, with the driver's error behind."""
    database = open_database(url)  # noqa: F811
    bind(database, [Counter])

    async def block() -> None:
        async with database.transaction():
            pytest.fail("not reached")

    uses = (database.start, database.ping, block, Counter.select().run, Counter.create_table().run)
    for use in uses:
        with pytest.raises(Unavailable) as refused:
            await use()
        assert isinstance(refused.value.__cause__, OSError | sqlite3.OperationalError)


async def test_a_pool_in_use_is_unavailable(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Who waits for a place longer than the limit is told so, and the place is not lost."""
    await with_counters(database)
    engine = database.engine
    gates = [engine.pool.gate] if database.dialect == "postgres" else [engine._pool.writing]
    for gate in gates:
        monkeypatch.setattr(gate, "_seconds", 0.05)
    done = asyncio.Event()

    async def hold() -> None:
        async with database.transaction():
            await done.wait()

    holders = [asyncio.create_task(hold()) for _ in range(database.pool_size if database.dialect == "postgres" else 1)]
    await asyncio.sleep(0.02)
    with pytest.raises(Unavailable):
        await database.execute(ADD, id=1)
    done.set()
    await asyncio.gather(*holders)
    assert await database.execute(ADD, id=1) == 1


LOCKER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
held.execute("ROLLBACK")
"""


@asynccontextmanager
async def locked(path: str) -> AsyncIterator[Callable[[], None]]:
    """Another process writes, until it is told to end, or the block ends."""
    command, pipe = [sys.executable, "-c", LOCKER, path], subprocess.PIPE
    locker = subprocess.Popen(command, stdin=pipe, stdout=pipe)
    assert locker.stdin is not None
    try:
        await asyncio.to_thread(next_line, locker)
        yield locker.stdin.close
    finally:
        killed(locker)


@pytest.mark.parametrize("wait_ms", [30_000, 300])
async def test_a_lock_of_another_process_is_waited_for(
    wait_ms: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short lock costs time only; one past busy_timeout is Unavailable, and reads go on all the while."""
    pragmas = tuple(pragma.replace("5000", str(wait_ms)) for pragma in sqlite_connections.PRAGMAS)
    monkeypatch.setattr(sqlite_engine.SqliteEngine.connect, "__defaults__", (pragmas,))
    database = open_database(f"sqlite:///{tmp_path / 'locked.sqlite'}")  # noqa: F811
    await database.start()
    await with_counters(database)
    async with locked(database.engine.path) as end:
        assert await value(database) == 0
        if wait_ms > 1_000:
            adding = asyncio.create_task(database.execute(ADD, id=1))
            done, _ = await asyncio.wait({adding}, timeout=0.3)
            assert not done
            end()
            await adding
        else:
            with pytest.raises(Unavailable):
                await database.execute(ADD, id=1)
            with pytest.raises(Unavailable):
                async with database.transaction():
                    pytest.fail("not reached")
    assert await database.execute(ADD, id=1) == 1
    await database.stop()


async def test_a_full_disk_is_unavailable(tmp_path: Path) -> None:
    """SQLITE_FULL is an outage; the transaction is undone and later ones work."""
    database = open_database(f"sqlite:///{tmp_path / 'full.sqlite'}")  # noqa: F811
    await database.start()
    await with_counters(database)
    await database.execute(Statement("CREATE TABLE filler (b BLOB)"))
    pages = (await database.fetch(Statement("PRAGMA page_count")))[0][0]
    await database.fetch(Statement(f"PRAGMA max_page_count = {pages + 2}"))
    with pytest.raises(Unavailable):
        async with database.transaction():
            await database.execute(ADD, id=1)
            await database.execute(Statement("INSERT INTO filler (b) VALUES (zeroblob(1000000))"))
    assert await value(database) == 0
    assert await database.execute(ADD, id=1) == 1
    await database.stop()


async def test_the_caches_of_readers_are_small(tmp_path: Path) -> None:
    """What every reader reads is in memory once for each: a megabyte each, and 16 for the one writer."""
    database = open_database(f"sqlite:///{tmp_path / 'caches.sqlite'}")  # noqa: F811
    await database.start()
    try:
        pool = database.engine._pool
        sizes = [(await each.run("rows", "PRAGMA cache_size"))[0][0] for each in pool.all]
        assert sizes == [-16_000, *[-1_000] * database.pool_size]
    finally:
        await database.stop()


async def test_readers_refuse_writes(tmp_path: Path) -> None:
    """A write that is sent to a reader by mistake fails loudly instead of taking the lock."""
    database = open_database(f"sqlite:///{tmp_path / 'readers.sqlite'}")  # noqa: F811
    await database.start()
    await with_counters(database)
    for reader in database.engine._pool.readers:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await reader.run("affected", "UPDATE counter SET n = 1")
    await database.stop()


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT 1", True),
        ("  -- note\n/* x */ select 1", True),
        ("WITH a AS (DELETE FROM x) SELECT 1", True),
        ("WITH a AS (SELECT 'insert') , b(c) AS (SELECT 2) SELECT * FROM a", True),
        ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", False),
        ('WITH "select" AS (SELECT 1) UPDATE t SET n = 1', False),
        ("VALUES (1)", True),
        ("INSERT INTO t SELECT 1", False),
        ("PRAGMA user_version = 1", False),
        ("", False),
    ],
)
def test_which_statements_only_read(sql: str, reads: bool) -> None:
    assert only_reads(sql) is reads


async def test_the_gate_is_fair() -> None:
    """Places go to those who wait in their order, and a newcomer cannot pass them."""
    gate, order = Gate(1), []
    await gate.enter()

    async def visit(number: int) -> None:
        await gate.enter()
        order.append(number)
        await asyncio.sleep(0)
        gate.leave()

    waiting = [asyncio.create_task(visit(number)) for number in range(5)]
    await asyncio.sleep(0)
    gate.leave()
    newcomer = asyncio.create_task(visit(99))
    await asyncio.gather(*waiting, newcomer)
    assert order == [0, 1, 2, 3, 4, 99]


async def test_no_client_starves(database: Database) -> None:  # noqa: F811
    """Four clients for each connection, each asking again at once: when the first is done, all are nearly."""
    await with_counters(database)
    done = [0] * 4 * database.pool_size

    async def client(number: int) -> None:
        while max(done) < 400:
            await database.fetch(READ, id=1)
            done[number] += 1

    # Connections are opened when they are first needed, which takes longer than many reads.
    for _ in range(3):
        await asyncio.gather(*(database.fetch(READ, id=1) for _ in done))
    await asyncio.gather(*(client(number) for number in range(len(done))))
    assert min(done) >= 200


async def test_stopping_ends_cleanly(database_url: str) -> None:  # noqa: F811
    """A database can be started again after it was stopped, and to stop twice does nothing."""
    database = open_database(database_url)  # noqa: F811
    for _ in range(2):
        await database.start()
        await database.ping()
        await database.stop()
        await database.stop()
