"""The PostgreSQL pool under faults: what comes back is fit for the next, or is replaced."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.database import Database, Statement, open_database, postgres_pool
from app.database.gates import Gate
from app.errors import Unavailable
from tests.database.counters import ADD, READ, value, with_counters
from tests.databases import fresh_url

pytestmark = pytest.mark.postgres
SLEEP = Statement("SELECT pg_sleep({seconds})")
PID = Statement("SELECT pg_backend_pid() AS pid")
BUSY = Statement(
    "SELECT count(*) AS busy FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND state NOT IN ('idle') AND backend_type = 'client backend'"
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    with fresh_url("postgres", tmp_path) as url:
        opened = open_database(url, pool_size=3)
        await opened.start()
        await with_counters(opened)
        yield opened
        await opened.stop()


@asynccontextmanager
async def all_held(database: Database) -> AsyncIterator[list[Any]]:
    """The connections of all places of the pool, which nobody else has meanwhile."""
    held = [await database.engine.checkout() for _ in range(database.pool_size)]
    yield held
    for connection in held:
        await database.engine.checkin(connection, ended=True)


async def pids(database: Database) -> set[int]:
    """The backends behind all places of the pool."""
    async with all_held(database) as held:
        return {connection.get_server_pid() for connection in held}


async def runs(database: Database, number: int) -> None:
    """Returns once so many statements run at the same time in the server."""
    watching = await asyncpg.connect(database.url)
    async with asyncio.timeout(60):
        while await watching.fetchval(BUSY.sql("postgres")) < number:  # noqa: ASYNC110 - the other is a server
            await asyncio.sleep(0.01)
    await watching.close()


async def test_cancelled_in_mid_query(database: Database) -> None:
    """The statement is stopped in the server, and its connection answers the next question and no other's."""
    before = await pids(database)
    for _ in range(6):
        tasks = [asyncio.create_task(database.fetch(SLEEP, seconds=120)) for _ in range(database.pool_size)]
        await runs(database, database.pool_size)
        for task in tasks:
            task.cancel()
        assert all(isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*tasks, return_exceptions=True))
        async with asyncio.timeout(60):
            for number in range(10):
                asked = Statement("SELECT {number} + 0 AS n")
                assert (await database.fetch(asked, number=number))[0]["n"] == number
    assert await pids(database) == before
    assert (await database.fetch(BUSY))[0]["busy"] == 0


async def test_cancelled_at_any_moment(database: Database) -> None:
    """Statements and transactions cut off at random moments: no connection is left in a transaction or lost."""
    chance = random.Random(5)
    done = 0

    async def in_block() -> None:
        nonlocal done
        async with database.transaction():
            await database.execute(ADD, id=1)
            await database.fetch(READ, id=1)
        done += 1

    for _ in range(60):
        tasks = [asyncio.create_task(in_block() if n % 2 else database.ping()) for n in range(6)]
        await asyncio.sleep(chance.uniform(0, 0.004))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(60):
        await pids(database)
        # Where the COMMIT was cut off, it may have been done all the same.
        assert await value(database) >= done
        assert all(not connection.is_in_transaction() for connection in database.engine.pool._idle)
        assert len(database.engine.pool._idle) == database.pool_size
        assert (await database.fetch(BUSY))[0]["busy"] == 0


async def test_a_begin_that_is_cut_off_leaves_no_transaction(database: Database) -> None:
    """The server may have begun it although nobody waited for its answer."""
    for _ in range(40):
        connection = await database.engine.checkout()
        begin = asyncio.create_task(connection.execute("BEGIN"))
        await asyncio.sleep(0)
        begin.cancel()
        await asyncio.gather(begin, return_exceptions=True)
        await database.engine.checkin(connection, ended=False)
        assert all(not idle.is_in_transaction() for idle in database.engine.pool._idle)
        await database.execute(ADD, id=1)
    assert await value(database) == 40


async def test_a_server_that_restarts(database: Database) -> None:
    """All backends ended at once: who is at work is told, who comes next gets a new connection."""
    before = await pids(database)
    task = asyncio.create_task(database.fetch(SLEEP, seconds=120))
    await runs(database, 1)
    killer = await asyncpg.connect(database.url)
    for pid in before:
        await killer.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(Unavailable):
        await task
    async with asyncio.timeout(60):
        while not all(connection.is_closed() for connection in database.engine.pool._all):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert not await pids(database) & before
        await asyncio.gather(*(database.execute(ADD, id=1) for _ in range(20)))
    await killer.close()


async def test_exhausted(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits too long is told Unavailable, and the places come back when they are free."""
    async with all_held(database):
        with monkeypatch.context() as patched:
            patched.setattr(database.engine.pool.gate, "_seconds", 0.1)
            late = await asyncio.gather(*(database.ping() for _ in range(8)), return_exceptions=True)
        assert [type(error) for error in late] == [Unavailable] * 8
    await asyncio.gather(*(database.ping() for _ in range(3)))
    assert database.engine.pool.gate._free == database.pool_size


async def test_a_connection_that_rested_long_is_made_anew(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (await database.fetch(PID))[0]["pid"]
    assert (await database.fetch(PID))[0]["pid"] == before
    monkeypatch.setattr(postgres_pool, "IDLE_SECONDS", 0.0)
    assert (await database.fetch(PID))[0]["pid"] != before


async def test_a_statement_prepared_before_a_table_changed(database: Database) -> None:
    """In a transaction it fails once; no other connection fails over it again."""
    every = Statement("SELECT * FROM counter WHERE id = {id}")
    async with all_held(database) as held:
        for connection in held:
            await connection.fetch(every.sql("postgres"), 1)
    await database.execute(Statement("ALTER TABLE counter ADD COLUMN more int"))
    failed = 0
    for _ in range(database.pool_size * 2):
        try:
            await _read(database, every)
        except asyncpg.InvalidCachedStatementError:
            failed += 1
    assert failed == 1


async def _read(database: Database, statement: Statement) -> None:
    async with database.transaction():
        await database.fetch(statement, id=1)


async def test_a_straggler_works_outside_of_what_has_ended(database: Database) -> None:
    """A task that waited for its turn until the block had ended gets no connection that is another's by now."""
    started = asyncio.Event()

    async def straggle() -> int:
        started.set()
        return await database.execute(ADD, id=1)

    with pytest.raises(KeyError):
        async with database.transaction() as transaction:
            await transaction.turn.acquire()
            task = asyncio.create_task(straggle())
            await started.wait()
            await asyncio.sleep(0)
            raise KeyError
    transaction.turn.release()
    assert await task == 1
    assert await value(database) == 1


async def test_a_place_given_to_a_caller_that_was_cancelled_goes_on() -> None:
    gate = Gate(1)
    await gate.enter()
    first, second = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    gate.leave()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    async with asyncio.timeout(60):
        await second
    gate.leave()
    assert gate._free == 1


async def test_one_bound_for_a_place_and_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waited for a place has only the rest of the time to connect, and the place is free again afterwards."""
    now = 1_000.0
    monkeypatch.setattr(postgres_pool, "ACQUIRE_SECONDS", 3_600.0)
    monkeypatch.setattr(postgres_pool, "monotonic", lambda: now)
    pool = postgres_pool.PostgresPool(asyncio.Event().wait, 1)  # type: ignore[arg-type]
    await pool.gate.enter()
    late = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    now += 3_600
    pool.gate.leave()
    assert await asyncio.wait({late}, timeout=30) == ({late}, set())
    assert isinstance(late.exception(), TimeoutError)
    await asyncio.wait_for(pool.gate.enter(), 30)
