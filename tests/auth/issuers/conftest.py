"""The certified `oidc-provider` as a foreign issuer, and an application that trusts it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from app.auth.tokens import BuiltInKeys, JwksKeys, TokenVerifier
from models.piccolo_app import TABLES
from tests.auth.clocks import ShiftedClock
from tests.auth.provider import Provider, provider
from tests.world import World, running


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with provider() as started:
        yield started


@pytest.fixture(scope="module")
def other_issuer() -> Iterator[Provider]:
    """One that is no worse, only not trusted here."""
    with provider() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(issuer: Provider, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    folder = tmp_path_factory.mktemp("oidc")
    trusted = [{"issuer": issuer.url, "audience": "dovetail"}]
    url = f"sqlite:///{folder / 'test.sqlite'}"
    async with running(url, folder, oidc_issuers=trusted, egress_allow=["127.0.0.1"]) as started:
        yield started


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest_asyncio.fixture(loop_scope="session")
async def world(served: Any, issuer: Provider, clock: ShiftedClock) -> AsyncIterator[World]:
    """A fresh tenant, and a server that has not asked for the issuer's keys yet."""
    app, client = served
    for table in TABLES:
        table._meta.db = app.runtime.database.engine
    runtime, composed = app.runtime, app.runtime.verifier
    foreign = [JwksKeys(one, runtime._fetch_json, clock) for one in app.settings.oidc_issuers]
    runtime.verifier = TokenVerifier([BuiltInKeys(runtime.signing_key, app.settings), *foreign], clock)
    yield await World(app, client).open()
    runtime.verifier = composed
    await issuer.answer()
