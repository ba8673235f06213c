"""How reports of the contract commands are shown, and how they end."""

import sys
from typing import TYPE_CHECKING, Any

import rich_click as click

from app.cli.output import plain, wants_json

if TYPE_CHECKING:
    from services.contracts.reports import Entry, Report

FORMATS = ("text", "json", "github", "junit", "sarif")
format_option = click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to show the report."
)
_STYLES = {"error": "red", "waived": "yellow", "note": "dim"}


def show(report: "Report", form: str, *, notes: bool) -> None:
    """The report on standard output; in a text the entries that only say something are shown where `notes` asks."""
    from services.contracts.formats import FORMATS as MACHINES

    if wants_json():
        form = "json"
    if form != "text":
        click.echo(MACHINES[form](report), nl=False)
        return
    shown = [entry for entry in report.entries if notes or entry.level != "note"]
    if shown:
        _print_table(shown)
    for said in dict.fromkeys(entry.remedy for entry in shown if entry.remedy):
        click.echo(plain(said))
    for note in report.notes:
        click.echo(plain(note))
    click.echo(plain(f"{report.title}: {_counted(report, hidden=len(report.entries) - len(shown))}"))


def _counted(report: "Report", *, hidden: int) -> str:
    counts = {level: sum(entry.level == level for entry in report.entries) for level in ("error", "waived", "note")}
    words = [f"{counts['error']} blocking" if counts["error"] else "nothing blocks"]
    words += [f"{counts['waived']} waived"] if counts["waived"] else []
    words += [f"{counts['note']} more changes{' (--all shows them)' if hidden else ''}"] if counts["note"] else []
    return ", ".join(words) + "."


def _print_table(entries: "list[Entry]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    columns = {
        "CODE": [entry.code.value for entry in entries],
        "CONTRACT": [entry.contract for entry in entries],
        "WHAT": [_what(entry) for entry in entries],
        "RULE": [entry.finding.rule if entry.finding else "" for entry in entries],
        "FINGERPRINT": [entry.fingerprint for entry in entries],
    }
    filled = {name: cells for name, cells in columns.items() if any(cells)}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in filled:
        table.add_column(name, overflow="fold", no_wrap=name != "WHAT" and sys.stdout.isatty())
    for entry, *cells in zip(entries, *filled.values(), strict=True):
        table.add_row(*(Text(plain(cell), style=_style(entry)) for cell in cells))
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 400, highlight=False).print(table)


def _style(entry: Any) -> str:
    return _STYLES[entry.level.value] if sys.stdout.isatty() else ""


def _what(entry: "Entry") -> str:
    lines = [entry.message]
    if entry.finding and entry.finding.witness:
        witness = entry.finding.witness
        value = witness.value if isinstance(witness.value, str) else _json(witness.value)
        lines.append(f"e.g. {value}  ({witness.note})")
    if entry.waiver:
        lines.append(f"Waived until {entry.waiver.ends} by {entry.waiver.owner}: {entry.waiver.reason}")
    return "\n".join(lines)


def _json(value: Any) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()
