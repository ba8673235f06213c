"""A Redis client that sends the scripts of requests that run at once as one batch.

Each script is a round trip of its own otherwise, and the trip costs this process several times what the script costs
Redis. While one batch is under way the next gathers, so that nothing waits for a clock.
"""

import asyncio
from typing import Any

from redis.asyncio import Redis

_SCRIPT = "EVALSHA"
_Asked = list[tuple[tuple[Any, ...], asyncio.Future[Any]]]


class BatchingRedis(Redis):
    """Scripts go in batches, in the order in which they were asked for; every other command goes as it is.

    Who gives up waiting does not stop the others: the script is run all the same, as one that was sent alone is.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: _Asked = []
        self._sender: asyncio.Task[None] | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if args[0] != _SCRIPT:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((args, answer))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return await answer

    async def _send(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                found = await self._run([args for args, _ in batch])
            except Exception as error:  # noqa: BLE001 - whatever it is, those who asked are told
                # Those who ask meanwhile would wait for the same: nobody waits for Redis twice.
                batch, self._waiting = batch + self._waiting, []
                found = [error] * len(batch)
            except BaseException:
                for _, answer in batch + self._waiting:
                    answer.cancel()
                raise
            _tell(batch, found)

    async def _run(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        """What each gave, or the error that Redis answered it with. Raises what the connection ended with."""
        async with self.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            return await pipeline.execute(raise_on_error=False)


def _tell(asked: _Asked, found: list[Any]) -> None:
    for (_, answer), one in zip(asked, found, strict=True):
        if answer.done():
            continue
        if isinstance(one, BaseException):
            answer.set_exception(one)
        else:
            answer.set_result(one)
