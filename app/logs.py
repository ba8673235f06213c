"""Structured logs: one JSON object a line on standard error, each with the request id where there is one."""

import os
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def _render(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


class Lines:
    """Standard error, a line at a time. A log that cannot be written (its disk is full, its reader has gone) must not
    end a request: such lines are counted, and the count is the first thing that is logged when there is room."""

    def __init__(self) -> None:
        self.lost = 0

    def msg(self, line: str) -> None:
        try:
            if self.lost:
                told = {"event": "lines of the log could not be written", "lines": self.lost, "level": "error"}
                # Of the first line that did not fit, the beginning may stand there.
                _write("\n" + msgspec.json.encode(told).decode())
                self.lost = 0
            _write(line)
        except (OSError, ValueError):
            self.lost += 1

    log = debug = info = warning = warn = error = err = critical = fatal = failure = exception = msg


def _write(line: str) -> None:
    """Past the stream's buffer: it keeps what could not be written, and would write it later, again and again."""
    try:
        number = sys.stderr.fileno()
    except (OSError, ValueError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
        return
    rest = (line + "\n").encode("utf-8", "backslashreplace")
    while rest:
        rest = rest[os.write(number, rest) :]


_LINES = Lines()


def configure_logs(level: str, *, settled: bool = True) -> None:
    """Everything at `level` and above, as JSON. `settled`: it is not configured again, so loggers are kept."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: _LINES,
        cache_logger_on_first_use=settled,
    )
