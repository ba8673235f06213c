"""`dovetail contract check`: the five rules, from a base to what is here now."""

from typing import TYPE_CHECKING

import rich_click as click

from app.cli.contract_reports import format_option, show
from app.cli.failures import CommandFailed
from app.cli.options import json_option

if TYPE_CHECKING:
    from datetime import date

    from rest.contracts.checking import Past
    from services.contracts.reports import Entry


def today() -> "date":
    """The day by UTC: sunsets and waivers end everywhere at once."""
    from app.clock import SYSTEM_CLOCK, utc_date

    return utc_date(SYSTEM_CLOCK.now_ms())


@click.command()
@click.option("--base-ref", metavar="REF", help="A commit, branch or tag: where the change begins.")
@click.option("--no-base", is_flag=True, help="Check only what needs no past: the code against what is committed.")
@click.option("--all", "everything", is_flag=True, help="Show changes that take nothing away, too.")
@format_option
@json_option
@click.pass_context
def check(context: click.Context, base_ref: str | None, no_base: bool, everything: bool, form: str) -> None:
    """Hold the change since REF to the rules: exit 0 where it keeps them, 1 where not, 2 where REF cannot be read.

    Frozen versions must not move, nor have moved in any commit since; active ones must not lose anything.
    """
    from services.contracts.reports import Report, sorted_entries

    if no_base == (base_ref is not None):
        raise click.UsageError("Name a base with --base-ref, or say --no-base; one of the two.")
    past = None if base_ref is None else _past(base_ref)
    entries, notes = _entries(past), []
    if past is None:
        notes.append(
            "Without a base it is not known what the change takes away: only the code and its files are compared."
        )
    title = f"contract check against {base_ref}" if base_ref else "contract check without a base"
    report = Report(title=title, entries=sorted_entries(entries), notes=notes)
    show(report, form, notes=everything)
    context.exit(1 if report.errors else 0)


def _past(base_ref: str) -> "Past":
    from rest.contracts.checkouts import read_past
    from services.contracts.histories import UnreadableBase

    try:
        return read_past(base_ref)
    except UnreadableBase as error:
        raise CommandFailed("base_unreadable", str(error), exit_code=2) from error


def _entries(past: "Past | None") -> "list[Entry]":
    from graph.schema import sdl
    from rest.contracts.checking import check as check_contracts
    from rest.contracts.checkouts import WAIVERS, read_file, read_now
    from services.contracts.histories import UnreadableBase
    from services.contracts.reading import UnreadableDocument
    from services.contracts.reports import waive
    from services.contracts.waivers import read_waivers

    now = today()
    try:
        waivers = read_waivers(read_file(WAIVERS) or b"", WAIVERS)
        found = check_contracts(read_now({"control-plane": sdl().encode()}), past, now)
    except UnreadableBase as error:
        raise CommandFailed("base_unreadable", str(error), exit_code=2) from error
    except UnreadableDocument as error:
        raise CommandFailed("unreadable", f"{error}.", exit_code=2) from error
    # Without a past nothing was compared, so no waiver can be of use.
    return waive(found, waivers, file=WAIVERS, today=now) if past else found
