"""Whatever a test does, the run that it is in ends, and says where it stood."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.code import ROOT

_HEAD = """
import signal, threading, time
import pytest
from tests import bounds
bounds.TEARDOWN_SECONDS = bounds.LAST_SECONDS = 1.0

def stay_for_good():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    while True:
        time.sleep(60)
"""
_CASES = {
    "a test that nothing can be raised in": ("def test_it():\n    stay_for_good()\n", "in stay_for_good"),
    "the teardown of a test that failed": (
        "@pytest.fixture\ndef held():\n    yield\n    time.sleep(600)\n\ndef test_it(held):\n    assert 1 == 2\n",
        "the teardown took more than 1.0 seconds",
    ),
    "such a teardown that nothing can be raised in": (
        "@pytest.fixture\ndef held():\n    yield\n    stay_for_good()\n\ndef test_it(held):\n    assert 1 == 2\n",
        "in stay_for_good",
    ),
    "a thread that Python waits for at its end": (
        "def test_it():\n    threading.Thread(target=stay_for_good).start()\n",
        "in stay_for_good",
    ),
}


def _run(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.bounds", "-c", str(ROOT / "pyproject.toml")]
    command += ["-o", "timeout=2", "-o", "faulthandler_timeout=4", *options, str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("name", _CASES)
def test_a_run_ends(name: str, tmp_path: Path) -> None:
    text, told = _CASES[name]
    (tmp_path / "test_hanging.py").write_text(_HEAD + text)
    ended = _run(tmp_path / "test_hanging.py")
    assert ended.returncode == 1, ended
    assert told in ended.stdout + ended.stderr


def test_the_tests_after_it_are_run(tmp_path: Path) -> None:
    """By another process, and the one that hangs no second time; also where it was the last of its file."""
    middle = "def test_1(): pass\ndef test_2(): stay_for_good()\ndef test_3(): pass\n"
    (tmp_path / "test_middle.py").write_text(_HEAD + middle)
    (tmp_path / "test_last.py").write_text(_HEAD + "def test_4(): pass\ndef test_5(): stay_for_good()\n")
    ended = _run(tmp_path, "-n", "2", "--dist", "loadfile")
    assert ended.returncode == 1, ended
    assert re.search(r"^2 failed, 3 passed", ended.stdout, re.MULTILINE), ended.stdout
