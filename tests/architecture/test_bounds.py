"""Whatever a test does, the run that it is in ends, and says where it stood."""

from __future__ import annotations

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


@pytest.mark.parametrize("name", _CASES)
def test_a_run_ends(name: str, tmp_path: Path) -> None:
    text, told = _CASES[name]
    (tmp_path / "test_hanging.py").write_text(_HEAD + text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.bounds", "-c", str(ROOT / "pyproject.toml")]
    command += ["-o", "timeout=2", "-o", "faulthandler_timeout=4", str(tmp_path / "test_hanging.py")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1, ended
    assert told in ended.stdout + ended.stderr
