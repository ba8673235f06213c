"""A task in a process of its own: other requests do not wait for it, and it can be ended."""

import asyncio
import os
import signal
import sys
from typing import Any, Literal, TypeVar

import msgspec

from app.errors import MalformedBody, ValidationFailed
from services.integrations.apart.child import CPU_SECONDS, Outcome

T = TypeVar("T")
#: Where other work of the machine holds it up, it is ended all the same.
_MOST_SECONDS = 2 * CPU_SECONDS
_MODULE = "services.integrations.apart.child"
_TOO_LONG = {-signal.SIGXCPU, -signal.SIGKILL}


class ChildFailed(Exception):
    """The process ended without an answer; its last words are the message."""


async def run_apart(task: Literal["import", "review"], given: Any, kind: type[T]) -> T:
    """What the task makes of what it is given. Raises ValidationFailed, MalformedBody."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", _MODULE, task, env=_environment(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            out, err = await child.communicate(msgspec.msgpack.encode(given))
    except TimeoutError:
        raise _too_long() from None
    finally:
        if child.returncode is None:
            child.kill()
            await asyncio.shield(child.wait())
    if child.returncode in _TOO_LONG:
        raise _too_long()
    if child.returncode != 0:
        raise ChildFailed(err[-2_000:].decode("utf-8", "replace"))
    return _done(msgspec.msgpack.decode(out, type=Outcome), kind)


def _done(found: Outcome, kind: type[T]) -> T:
    if found.done is not None:
        return msgspec.msgpack.decode(found.done, type=kind)
    if found.refused is None:
        raise ChildFailed("an outcome without either part")
    if found.refused.faults is None:
        raise MalformedBody(found.refused.message)
    raise ValidationFailed(found.refused.faults)


def _too_long() -> ValidationFailed:
    return ValidationFailed({"document": f"takes more than {CPU_SECONDS} seconds; choose operations by tag"})


def _environment() -> dict[str, str]:
    """This process's own without the settings: what reads a stranger's document has no secret to give away."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DOVETAIL_")}
