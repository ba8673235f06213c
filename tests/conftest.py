"""Fixtures of the whole suite: a running application on SQLite and on PostgreSQL, and a tenant in it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from app import shared_bus
from app.logs import configure_logs
from models.piccolo_app import TABLES
from services import limits
from tests import bounds
from tests.databases import fresh_url
from tests.world import World, running

configure_logs("error", settled=False)
# The same examples in every run, and no example fails because the machine is busy.
settings.register_profile("dovetail", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dovetail")

#: The times that a request gives Redis to answer.
_REDIS_BOUNDS = ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT")
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]

#: Few tests that take long: begun last, they would keep one worker at work after the others have ended.
LONG_MODULES = {
    "tests/contract/test_generated.py", "tests/deploy/test_image.py", "tests/oauth2/test_simulator.py",
    "tests/resilience/test_hostile.py", "tests/resilience/test_killed.py", "tests/runtime/test_reviews.py",
}  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):
        # Workers take the modules as they stand below, and not those with the most tests first.
        config.option.loadscopereorder = False
    config.pluginmanager.register(bounds)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The modules that take long come first."""
    items.sort(key=lambda item: item.nodeid.partition("::")[0] not in LONG_MODULES)


@pytest.fixture
def patient_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is exact is Redis that answers: on a busy machine it has more time than a request would give it."""
    monkeypatch.setattr(shared_bus, "ANSWER_SECONDS", 30.0)
    for bound in _REDIS_BOUNDS:
        monkeypatch.setitem(limits._OPTIONS, bound, 30.0)


@pytest.fixture(autouse=True)
def logs() -> None:
    """The suite's, for each test anew: a command that a test runs sets up its own, as a process of its own may."""
    configure_logs("error", settled=False)


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
