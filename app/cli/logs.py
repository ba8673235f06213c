"""Logs of a command: warnings as one line on standard error, so that standard output stays the answer's."""

import sys
from collections.abc import MutableMapping
from typing import Any

_LEVEL_WARNING = 30


def _line(_: Any, level: str, event: MutableMapping[str, Any]) -> str:
    said = event.pop("event", "")
    rest = ", ".join(f"{name}={value}" for name, value in event.items() if name != "exc_info")
    return f"{level}: {said}" + (f" ({rest})" if rest else "")


def quiet_logs() -> None:
    import structlog

    structlog.configure(
        processors=[_line],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVEL_WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
