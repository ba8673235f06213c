"""Fixtures of the whole suite: a running application on SQLite and on PostgreSQL, and a tenant in it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from app.logs import configure_logs
from models.piccolo_app import TABLES
from tests.databases import fresh_url
from tests.world import World, running

configure_logs("error", settled=False)
# The same examples in every run, and no example fails because the machine is busy.
settings.register_profile("dovetail", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dovetail")

ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def session_url(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with fresh_url(engine, tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def application(session_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    home: Path = tmp_path_factory.mktemp("home")
    # Nothing listens there: a test that queues a sync must not call the real ORCID.
    nowhere = "http://127.0.0.1:9"
    async with running(session_url, home, egress_allow=["127.0.0.0/8", "localhost"], orcid_base_url=nowhere) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="session")
async def world(application: Any) -> World:
    """A fresh tenant of the running application."""
    app, client = application
    # Another test may have bound the tables to a database of its own.
    for table in TABLES:
        table._meta.db = app.runtime.database.engine
    return await World(app, client).open()
