"""Transactions: isolated, nested as savepoints, and never the end of a connection."""

import asyncio
import contextlib
from pathlib import Path

import asyncpg
import pytest

from app.database import Database, Statement, open_database
from app.errors import Unavailable
from tests.database.counters import ADD, READ, WRITE, Counter, value, with_counters
from tests.databases import database, database_url, fresh_url  # noqa: F401


@pytest.fixture
async def counters(database: Database) -> Database:  # noqa: F811
    await with_counters(database)
    return database


async def test_a_hundred_transactions_that_read_and_then_write(counters: Database) -> None:
    """None fails for a lock and no update is lost."""

    async def read_then_write() -> None:
        async with counters.transaction():
            await counters.lock("counter")
            (row,) = await counters.fetch(READ, id=1)
            await asyncio.sleep(0)
            await counters.execute(WRITE, n=row["n"] + 1, id=1)

    await asyncio.gather(*(read_then_write() for _ in range(100)))
    assert await value(counters) == 100


async def test_an_error_undoes_everything(counters: Database) -> None:
    with pytest.raises(KeyError):
        async with counters.transaction():
            await Counter.update({Counter.n: 5}).where(Counter.id == 1).run()
            assert await value(counters) == 5
            raise KeyError
    assert await value(counters) == 0


async def test_a_nested_block_is_undone_alone(counters: Database) -> None:
    """What a failed inner block wrote is gone; what the outer wrote stays; an inner SQL error does no harm."""
    async with counters.transaction():
        await counters.execute(ADD, id=1)
        with pytest.raises(KeyError):
            async with counters.transaction():
                await counters.execute(ADD, id=2)
                async with counters.transaction():
                    await counters.execute(ADD, id=2)
                raise KeyError
        with pytest.raises(Exception, match="no_such_table"):
            async with counters.transaction():
                await counters.execute(Statement("DELETE FROM no_such_table"))
        async with counters.transaction():
            await counters.execute(ADD, id=1)
    assert [await value(counters, 1), await value(counters, 2)] == [2, 0]


async def test_failing_commits_leak_nothing(counters: Database) -> None:
    """A constraint that fails at COMMIT, three times the pool: the pool is whole and no transaction is left."""
    if counters.dialect == "postgres":
        make = "CREATE TABLE once (n INTEGER UNIQUE DEFERRABLE INITIALLY DEFERRED)"
        statements = ["INSERT INTO once VALUES (1)", "INSERT INTO once VALUES (1)"]
    else:
        make = "CREATE TABLE once (n INTEGER REFERENCES counter (id) DEFERRABLE INITIALLY DEFERRED)"
        statements = ["INSERT INTO once VALUES (99)"]
    await counters.execute(Statement(make))
    for _ in range(3 * counters.pool_size):
        with pytest.raises(Exception, match=r"(?i)unique|foreign"):
            async with counters.transaction():
                for text in statements:
                    await counters.execute(Statement(text))
        assert counters.engine.live_transaction() is None
    async with asyncio.timeout(60):
        await asyncio.gather(*(counters.fetch(READ, id=1) for _ in range(20)))
    assert await counters.fetch(Statement("SELECT n FROM once")) == []


@pytest.mark.postgres
async def test_a_swallowed_error_is_not_a_commit(tmp_path: Path) -> None:
    """PostgreSQL answers COMMIT with a quiet ROLLBACK after a failed statement; here it is an error."""
    with fresh_url("postgres", tmp_path) as url:
        database = open_database(url)
        await with_counters(database)
        with pytest.raises(asyncpg.InFailedSQLTransactionError, match="nothing was committed"):
            async with database.transaction():
                await database.execute(ADD, id=1)
                with contextlib.suppress(asyncpg.PostgresError):
                    await database.execute(Statement("DELETE FROM no_such_table"))
        assert await value(database) == 0


async def test_a_failing_begin_leaks_nothing(counters: Database) -> None:
    """The connection is back and the context is clean after a BEGIN that fails."""
    real = counters.engine.transaction
    for _ in range(3 * counters.pool_size):
        block = real()
        block._begin = "BEGIN NONSENSE"
        with pytest.raises(Exception, match=r"(?i)syntax"):
            async with block:
                pytest.fail("not reached")
        assert counters.engine.live_transaction() is None
    async with asyncio.timeout(60), counters.transaction():
        await counters.execute(ADD, id=1)


@pytest.mark.parametrize("steps", range(6))
async def test_cancellation_rolls_back_and_releases(counters: Database, steps: int) -> None:
    """Cancelled at any await, a transaction leaves no change, no lock and no connection behind."""

    async def change() -> None:
        async with counters.transaction():
            await counters.execute(ADD, id=1)
            async with counters.transaction():
                await counters.execute(ADD, id=1)
            await asyncio.sleep(10)

    for _ in range(2 * counters.pool_size):
        task = asyncio.create_task(change())
        await asyncio.sleep(steps * 0.0005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with asyncio.timeout(60), counters.transaction():
        assert await value(counters) == 0
        await counters.execute(ADD, id=1)


async def test_tasks_inside_take_turns_and_tasks_that_outlive_are_outside(counters: Database) -> None:
    """gather inside a block works on both engines; a task that goes on after the block is not in it."""
    over = asyncio.Event()

    async def later() -> int:
        await over.wait()
        assert counters.engine.live_transaction() is None
        return await value(counters)

    async with counters.transaction():
        await asyncio.gather(*(counters.execute(ADD, id=1) for _ in range(10)))
        task = asyncio.create_task(later())
    over.set()
    assert await task == 10


async def test_in_transaction_runs_again_after_a_conflict(counters: Database) -> None:
    """40001 and 40P01 run it again from the start; another error does not; after the last, Unavailable."""
    calls = 0

    async def sometimes() -> int:
        nonlocal calls
        calls += 1
        await counters.execute(ADD, id=1)
        if calls < 3:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        return calls

    assert await counters.in_transaction(sometimes) == 3
    assert await value(counters) == 1

    async def never() -> None:
        raise asyncpg.SerializationError("could not serialize")

    with pytest.raises(Unavailable):
        await counters.in_transaction(never, retries=1)


@pytest.mark.postgres
async def test_a_real_deadlock_is_run_again(counters: Database) -> None:
    """Two transactions that lock the same rows in opposite order both succeed."""
    meet = asyncio.Barrier(2)

    def locking(first: int, second: int):
        tries = 0

        async def run() -> None:
            nonlocal tries
            tries += 1
            await counters.execute(ADD, id=first)
            if tries == 1 and counters.dialect == "postgres":
                await meet.wait()
            await counters.execute(ADD, id=second)

        return run

    await asyncio.gather(counters.in_transaction(locking(1, 2)), counters.in_transaction(locking(2, 1)))
    assert [await value(counters, 1), await value(counters, 2)] == [2, 2]


async def test_a_lock_needs_a_transaction(counters: Database) -> None:
    with pytest.raises(RuntimeError):
        await counters.lock("counter")


async def test_statements_of_every_path_are_counted(counters: Database) -> None:
    """Piccolo, fetch and execute count; BEGIN, COMMIT and savepoints do not; a closed log stays as it is."""
    with counters.count_statements() as log:
        async with counters.transaction():
            await Counter.select().run()
            async with counters.transaction():
                await counters.execute(ADD, id=1)
        await counters.fetch(READ, id=1)
    await counters.fetch(READ, id=1)
    assert log.count == 3
    assert [text.split()[0] for text in log.texts] == ["SELECT", "UPDATE", "SELECT"]


async def test_what_others_send_is_not_counted(counters: Database) -> None:
    """What was running before the block is not of it; what the block starts is, and only until it ends."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def read_after(moment: asyncio.Event) -> None:
        await moment.wait()
        await counters.fetch(READ, id=1)

    before = asyncio.create_task(read_after(begun))
    await asyncio.sleep(0)
    with counters.count_statements() as log:
        begun.set()
        await before
        assert log.count == 0
        await asyncio.gather(*(counters.fetch(READ, id=1) for _ in range(2)))
        late = asyncio.create_task(read_after(ended))
        await asyncio.sleep(0)
    ended.set()
    await late
    assert log.count == 2


async def test_before_start_every_path_works(database_url: str) -> None:  # noqa: F811
    """As on the command line: no pool, yet queries, transactions and savepoints."""
    database = open_database(database_url)  # noqa: F811
    await with_counters(database)
    async with database.transaction():
        await database.execute(ADD, id=1)
        with pytest.raises(KeyError):
            async with database.transaction():
                await database.execute(ADD, id=1)
                raise KeyError
    assert await value(database) == 1
