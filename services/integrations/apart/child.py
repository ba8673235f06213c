"""`python -m services.integrations.apart.child TASK`: one task, from standard input to standard output.

A process of its own, because a large document takes seconds of the interpreter, and a hostile one memory without end.
"""

import importlib
import os
import resource
import sys
from contextlib import suppress
from typing import Any

import msgspec

from app.errors import MalformedBody, ValidationFailed

CPU_SECONDS = 60
#: The largest public description, of 47 MB, takes 413 MB.
MOST_MEMORY = 2 * 1024**3
#: Requests that are answered meanwhile go first.
_NICENESS = 10
#: What each task is done by: a function from bytes to what msgspec encodes.
_TASKS = {
    "import": "services.integrations.importing.drafting:drafted",
    "review": "services.integrations.reviewing.reviews:reviewed",
}


class Refused(msgspec.Struct, frozen=True):
    """What is wrong with the document; `faults` by their paths, or none where it cannot be read at all."""

    faults: dict[str, str] | None
    message: str


class Outcome(msgspec.Struct, frozen=True):
    """What a task came to, encoded; or why it came to nothing."""

    done: bytes | None = None
    refused: Refused | None = None


def outcome(task: str, given: bytes) -> Outcome:
    module, _, name = _TASKS[task].partition(":")
    run: Any = getattr(importlib.import_module(module), name)
    try:
        return Outcome(done=msgspec.msgpack.encode(run(given)))
    except ValidationFailed as error:
        return Outcome(refused=Refused({path: str(rule) for path, rule in (error.details or {}).items()}, ""))
    except MalformedBody as error:
        return Outcome(refused=Refused(None, error.message))
    except MemoryError:
        text = f"needs more than {MOST_MEMORY // 1024**2} MiB of memory to be read"
        return Outcome(refused=Refused({"document": text}, ""))


def bound_myself() -> None:
    """Raises OSError or ValueError where the system has lower bounds or forbids it; the parent's clock is left then."""
    os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    for kind, most in ((resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_AS, MOST_MEMORY)):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, hard))


def main() -> None:
    with suppress(OSError, ValueError):
        bound_myself()
    sys.stdout.buffer.write(msgspec.msgpack.encode(outcome(sys.argv[1], sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
