"""Failures that are expected: told in a sentence that says what to do next, never by a traceback."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from app.cli.output import plain, wants_json
from app.errors import DomainError
from app.settings import SettingsError

#: What to do about a refusal of that code, where its own message does not say.
NEXT = {
    "service_unavailable": "See that the database runs and that DOVETAIL_DATABASE_URL names it (`dovetail settings`).",
    "settings_invalid": "`dovetail settings --help` tells where settings come from.",
    "origin_unverified": "Publish the challenge (`dovetail origins challenge ID`), then verify again.",
    "migration_failed": "The database is as it was before; a SQLite file was copied next to it first.",
}


class CommandFailed(Exception):
    """The command cannot do what was asked; the message says why and what to do."""

    def __init__(self, code: str, message: str, *, exit_code: int = 1, **details: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.exit_code = code, message, exit_code
        self.details = details or None


class Problem(NamedTuple):
    """A failure as it is shown."""

    code: str
    message: str
    details: Mapping[str, Any] | None = None
    exit_code: int = 1


def problem_of(error: Exception) -> Problem | None:
    """The problem that an exception stands for; None where it was not expected."""
    if isinstance(error, CommandFailed):
        return Problem(error.code, error.message, error.details, error.exit_code)
    if isinstance(error, DomainError):
        return Problem(error.code, error.message, error.details)
    if isinstance(error, SettingsError):
        return Problem("settings_invalid", str(error))
    return None


def report(problem: Problem) -> None:
    """Tell it on standard error: a JSON document for `--json`, else sentences."""
    if wants_json():
        shown = {"code": problem.code, "message": problem.message, "details": problem.details}
        click.echo(json.dumps({"error": shown}, default=str, ensure_ascii=False), err=True)
        return
    click.echo(click.style("Error: ", fg="red", bold=True) + plain(problem.message), err=True)
    if problem.code in NEXT and not _is_reached(problem):
        click.echo(NEXT[problem.code], err=True)


def _is_reached(problem: Problem) -> bool:
    """Whether the database is there, and only takes no writes: its address is not what is wrong."""
    if problem.code != "service_unavailable":
        return False
    from app.database.outages import NO_ROOM, READ_ONLY

    return problem.message in (NO_ROOM, READ_ONLY)
