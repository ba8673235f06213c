"""Processes that tests start end with the test, whatever becomes of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.architecture.code import ROOT
from tests.endings import SECONDS, gone, killed, lives, next_line, standing_still

_HOLDER = """
import sys, time
from tests.endings import standing_still
with standing_still([int(sys.argv[1])]):
    print("still", flush=True)
    time.sleep(600)
"""


def test_a_child_that_holds_the_pipes_is_not_waited_for() -> None:
    """The shell is killed; what it has started goes on and could write for half a minute."""
    pipe = subprocess.PIPE
    shell = subprocess.Popen(["sh", "-c", "sleep 30 & echo $!; echo more; wait"], stdout=pipe, stderr=pipe, text=True)
    child, began = int(next_line(shell)), time.monotonic()
    killed(shell)
    assert time.monotonic() - began < 20
    assert lives(child)
    subprocess.run(["kill", "-9", str(child)], check=True)
    gone([child])


def test_what_stands_still_goes_on() -> None:
    """Also where the process that stopped it is killed."""
    sleeper = subprocess.Popen(["sleep", "600"])
    try:
        with standing_still([sleeper.pid]):
            _becomes(sleeper.pid, "T")
        _becomes(sleeper.pid, "S")
        holder = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(sleeper.pid)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert next_line(holder) == "still\n"
        _becomes(sleeper.pid, "T")
        killed(holder)
        _becomes(sleeper.pid, "S")
    finally:
        killed(sleeper)


def _becomes(pid: int, state: str) -> None:
    deadline = time.monotonic() + SECONDS
    while (found := Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]) != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def test_a_process_lives_as_long_as_one_of_its_threads() -> None:
    """The first may end before the others, and what they have open is still taken."""
    text = "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(600,)).start(); "
    text += "print('here', flush=True); ctypes.CDLL(None).pthread_exit(None)"
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    try:
        assert next_line(process) == "here\n"
        deadline = time.monotonic() + SECONDS
        while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert lives(process.pid)
        process.send_signal(signal.SIGKILL)
        gone([process.pid])
    finally:
        killed(process)
