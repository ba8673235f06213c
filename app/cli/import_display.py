"""What a person sees of an import while it runs: a bar on a terminal, and each bad line."""

import sys
from types import TracebackType
from typing import Any, Self

import click

from app.cli.output import plain, wants_json


class Display:
    """A bar on standard error where that is a terminal and nobody asked for JSON; otherwise nothing moves."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not wants_json():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, text: str, total: int | None) -> None:
        if self._bar is not None:
            self._task = self._bar.add_task(text, total=total)

    def advance(self, steps: int) -> None:
        if self._bar is not None:
            self._bar.advance(self._task, steps)

    def bad(self, line: int, reason: str) -> None:
        """Report a bad line at once; `--json` has them in its document."""
        text = f"line {line}: {plain(reason)}"
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        elif not wants_json():
            click.echo(text, err=True)
