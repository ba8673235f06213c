"""Applications of their own for faults that would disturb the one that the suite shares."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import app.asgi
from app.clock import SettableClock
from services.runtime import Runtime
from tests.databases import fresh_url
from tests.world import World, running


@asynccontextmanager
async def alone(engine: str, folder: Path, **settings: Any) -> AsyncIterator[World]:
    """A world in an application and a database of its own."""
    with fresh_url(engine, folder) as url:
        async with running(url, folder / "home", egress_allow=["127.0.0.0/8", "localhost"], **settings) as served:
            yield await World(*served).open()


@asynccontextmanager
async def timed(
    engine: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> AsyncIterator[tuple[World, SettableClock]]:
    """The same with a clock that stands still until it is moved."""
    clock = SettableClock()
    with monkeypatch.context() as patched:
        patched.setattr(app.asgi, "Runtime", partial(Runtime, clock=clock))
        async with alone(engine, folder, **settings) as world:
            yield world, clock
