"""Workers in processes of their own that use connections as a server does; a test asks and kills them."""

from __future__ import annotations

import asyncio
import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import UUID

from app.auth.principal import shell_principal
from app.ids import new_request_id
from app.settings import load_settings
from services.context import Context
from services.integrations.instances.rows import find_instance
from services.integrations.oauth2 import renewal
from services.runtime import Runtime
from tests.endings import SECONDS
from tests.oauth2.connecting import token_of

_TOGETHER = 3
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__, "aiohttp", "asyncpg"])


def _work(pipe: Connection, home: str, url: str, tenant: str) -> None:
    asyncio.run(_serve(pipe, Path(home), url, UUID(tenant)))


async def _serve(pipe: Connection, home: Path, url: str, tenant: UUID) -> None:
    given: dict[str, Any] = {"egress_allow": ["127.0.0.0/8"], "database_pool_size": 2, "log_level": "error"}
    runtime = Runtime(load_settings({}, home=home, database_url=url, **given))
    await runtime.start()
    pipe.send("ready")
    while (instances := await asyncio.to_thread(pipe.recv)) is not None:
        if isinstance(instances, str):
            _hold(pipe, instances)
            continue
        asked = [UUID(one) for one in instances for _ in range(_TOGETHER)]
        pipe.send(await asyncio.gather(*(_token(runtime, tenant, one) for one in asked)))
    await runtime.stop()


def _hold(pipe: Connection, name: str) -> None:
    """From here on a refresh of this process goes as far as to this step, and says that it is there."""

    async def held(*_: Any) -> None:
        pipe.send("there")
        await asyncio.Event().wait()

    assert callable(getattr(renewal, name))
    setattr(renewal, name, held)


async def _token(runtime: Runtime, tenant: UUID, instance_id: UUID) -> str:
    context = Context(runtime, shell_principal(tenant, "worker"), "cli", new_request_id())
    try:
        return await token_of(runtime.refreshes, context, await find_instance(tenant, instance_id))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


class Worker:
    """One process; `ask` gives what it got for each of the instances, asked for several times at once."""

    def __init__(self, home: Path, url: str, tenant: UUID) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        arguments = (theirs, str(home), url, str(tenant))
        self.process: BaseProcess = _CONTEXT.Process(target=_work, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    async def ready(self) -> Worker:
        assert await self._said() == "ready"
        return self

    def send(self, instances: list[str]) -> None:
        self._pipe.send(instances)

    async def ask(self, instances: list[str]) -> list[str]:
        self.send(instances)
        answer: list[str] = await self._said()
        return answer

    async def _said(self) -> Any:
        """What it says next; a thread that waited for good would hold up the end of the run."""
        assert await asyncio.to_thread(self._pipe.poll, SECONDS), "the worker says nothing"
        return self._pipe.recv()

    async def hold(self, step: str, instance: str) -> None:
        """Begin a refresh that stays before this step of `renewal`; returns when it is there."""
        self._pipe.send(step)
        self.send([instance])
        assert await self._said() == "there"

    def kill(self) -> None:
        """`kill -9`, and it is gone."""
        self.process.kill()
        self.process.join(SECONDS)
        assert not self.process.is_alive()
        self._pipe.close()
