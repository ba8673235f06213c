"""Options that several commands have, and the forms in which times and instants are written."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from app.cli.output import ask_json

F = TypeVar("F", bound=Callable[..., Any])
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,9})([smhd]?)")


class Duration(click.ParamType[int]):
    """`90s`, `15m`, `12h`, `7d` or plain seconds, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = _DURATION.fullmatch(value.strip().lower())
        if match is None:
            self.fail(f"{value!r} is no duration; write it like 90s, 15m, 12h or 7d", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


class Instant(click.ParamType[int]):
    """A day or an ISO 8601 instant (UTC where it names no offset), as ms since the epoch."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            at = datetime.fromisoformat(value.strip())
        except ValueError:
            self.fail(f"{value!r} is no instant; write it like 2026-01-31 or 2026-01-31T12:00:00Z", param, ctx)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return int(at.timestamp() * 1_000)


DURATION, INSTANT = Duration(), Instant()


def _ask(context: click.Context, _: click.Parameter, value: bool) -> None:
    ask_json(context, value)


def json_option(command: F) -> F:
    text = "Print one JSON document; errors too, on standard error."
    return click.option("--json", is_flag=True, expose_value=False, is_eager=True, callback=_ask, help=text)(command)


def tenant_option(command: F) -> F:
    text = "Tenant, by slug or id; not needed while there is only one."
    return click.option("--tenant", "tenant", metavar="SLUG|ID", help=text)(command)


def limit_option(default: int) -> Callable[[F], F]:
    text = "The most rows to list."
    return click.option("--limit", type=click.IntRange(1, 100_000), default=default, show_default=True, help=text)
