"""Workers that are told to end are waited for, and not for ever."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

import pytest

from app.cli.workers import end_all

_CONTEXT = multiprocessing.get_context("spawn")


def _work(deaf: bool, ready: Event) -> None:
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.set()
    time.sleep(600)


@pytest.fixture
def workers() -> Iterator[list[BaseProcess]]:
    """The first does not hear that it is to end."""
    made: list[BaseProcess] = []
    try:
        for deaf in (True, False):
            ready = _CONTEXT.Event()
            made.append(_CONTEXT.Process(target=_work, args=(deaf, ready), daemon=True))
            made[-1].start()
            assert ready.wait(60)
        yield made
    finally:
        for worker in made:
            worker.kill()
            worker.join(60)


def test_a_worker_that_does_not_end_is_killed(workers: list[BaseProcess]) -> None:
    """The other ends as it was told."""
    for worker in workers:
        worker.terminate()
    began = time.monotonic()
    end_all(workers, 2)
    assert time.monotonic() - began < 30
    assert [worker.exitcode for worker in workers] == [-signal.SIGKILL, -signal.SIGTERM]
