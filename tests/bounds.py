"""No test holds up the run for good: what is left of one that failed, and the end of the process, are bounded too.

`timeout` of pyproject.toml raises in a test that hangs, and `faulthandler_timeout` ends the process where nothing can
be raised. Both are called off once a test has failed, so its teardown has bounds of its own; so has what Python does
at its end, where it waits for threads. Where several processes share the run, another takes over the tests that the
one that ended had left.
"""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import IO, Any

import pytest
from xdist.scheduler import LoadFileScheduling

#: A teardown takes seconds, and stops servers that may take a minute each.
TEARDOWN_SECONDS = 180.0
#: Beyond that the process is ended, and says where all its threads stand.
LAST_SECONDS = 60.0

_stderr: IO[str] | None = None


class FileScheduling(LoadFileScheduling):
    """As of xdist, but a test that took its process with it is not run again: there it does so again and again."""

    def remove_node(self, node: Any) -> str | None:
        units = self.assigned_work[node]
        crashed = next((test for unit in units.values() for test, done in unit.items() if not done), None)
        if crashed is not None:
            unit = next(unit for unit in units.values() if crashed in unit)
            unit[crashed] = True
        for name in [name for name, unit in units.items() if all(unit.values())]:
            del units[name]
        super().remove_node(node)
        return crashed


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileScheduling | None:
    return FileScheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_configure() -> None:
    """Standard error as it is now: while a test runs it is captured."""
    global _stderr
    _stderr = os.fdopen(os.dup(2), "w")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, TEARDOWN_SECONDS)
    faulthandler.dump_traceback_later(TEARDOWN_SECONDS + LAST_SECONDS, exit=True, file=_file())
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _late(number: int, frame: FrameType | None) -> None:
    pytest.fail(f"the teardown took more than {TEARDOWN_SECONDS} seconds")


def pytest_unconfigure() -> None:
    """What is left to do at exit: databases are dropped, and threads waited for."""
    faulthandler.dump_traceback_later(TEARDOWN_SECONDS, exit=True, file=_file())


def _file() -> IO[str]:
    assert _stderr is not None
    return _stderr
