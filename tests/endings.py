"""Processes that tests start: asked, ended and looked for within a bound, however they and their children behave."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, AnyStr

#: How long a process may take to start, to answer or to end, also on a busy machine.
SECONDS = 60.0


def next_line(process: subprocess.Popen[AnyStr], seconds: float = SECONDS) -> AnyStr:
    """The next line that it writes, whole, to standard output; it must have written no other since the last.

    A pipe whose other end is held open is not waited for: a thread that reads it would hold up the end of the run.
    """
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    assert ready, f"process {process.pid} has said nothing for {seconds} seconds"
    found = process.stdout.readline()
    assert found, f"process {process.pid} has ended, or said its last"
    return found


def killed(process: subprocess.Popen[AnyStr], seconds: float = SECONDS) -> tuple[Any, Any]:
    """SIGKILL, and what it had written: output and errors. A child of it that holds its pipes is not waited for."""
    process.kill()
    process.wait(seconds)
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdin = None
    try:
        return process.communicate(timeout=1)
    except subprocess.TimeoutExpired as held:
        return held.stdout, held.stderr
    finally:
        for pipe in filter(None, (process.stdout, process.stderr)):
            pipe.close()


def stopped(process: subprocess.Popen[Any], seconds: float = SECONDS) -> int:
    """SIGTERM, and how it ended. One that does not end is killed, and TimeoutExpired says so."""
    process.terminate()
    try:
        return process.wait(seconds)
    finally:
        killed(process)


def lives(pid: int) -> bool:
    """Until its last thread has ended, for each keeps its files and locks; nobody need have waited for it."""
    process = Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" or len(list((process / "task").iterdir())) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(pids: Iterable[int], seconds: float = SECONDS) -> None:
    """Returns when none of them lives."""
    deadline, left = time.monotonic() + seconds, list(pids)
    while left := [pid for pid in left if lives(pid)]:
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.001)


@contextlib.contextmanager
def standing_still(pids: Iterable[int]) -> Iterator[list[int]]:
    """SIGSTOP to processes, and SIGCONT however the block ends, also where this process is killed in it.

    Gives those that were there. One backend of PostgreSQL that stands still holds up every DROP DATABASE of its server.
    """
    named = [str(pid) for pid in pids]
    # It waits for the end of its input, which is the end of this process too.
    words = 'cat > /dev/null; for pid; do kill -CONT "$pid"; done'
    guard = subprocess.Popen(
        ["sh", "-c", words, "sh", *named], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert guard.stdin is not None
    held: list[int] = []
    try:
        for pid in map(int, named):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                held.append(pid)
        yield held
    finally:
        guard.stdin.close()
        guard.wait(SECONDS)
