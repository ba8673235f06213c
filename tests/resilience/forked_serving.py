"""Starts `dovetail serve` by a fork of a process that has imported everything: the same server, started quickly.

Each line on standard input starts one; its process id is the answer. It is a program of its own, not imported.
"""

from __future__ import annotations

import os
import signal
import sys

import uvicorn  # noqa: F401 - imported before the fork

import app.asgi
import app.cli.serving_alone
import app.cli.workers  # noqa: F401
import tests.resilience.patience  # noqa: F401
from app.cli.root import dovetail


def _serve() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(0)
    dovetail(["serve"])


def run() -> None:
    # Nobody waits for the servers: the kernel forgets them when they have ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _serve()
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    run()
