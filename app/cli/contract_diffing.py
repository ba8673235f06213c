"""`dovetail contract diff`: any two contract documents, wherever they come from."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from app.cli.contract_reports import format_option, show
from app.cli.failures import CommandFailed
from app.cli.options import json_option

if TYPE_CHECKING:
    from services.contracts.reports import Report
    from services.contracts.waivers import Waiver

_file = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("base", type=_file)
@click.argument("revision", type=_file)
@click.option(
    "--law", type=click.Choice(["strict", "tolerant"]), default="strict", show_default=True,
    help="Tolerant: readers that take what they know and leave the rest.",
)  # fmt: skip
@click.option(
    "--category", type=click.Choice(["wire", "sdk", "strict"]), default="wire", show_default=True,
    help="OpenAPI: who was promised that nothing breaks. Sdk: generated clients, too.",
)  # fmt: skip
@click.option(
    "--notice-days", type=click.IntRange(0, 3660), metavar="DAYS",
    help="OpenAPI: a deprecation names a sunset at least that far away.",
)  # fmt: skip
@click.option("--waivers", type=_file, metavar="FILE", help="Findings that may pass, as TOML.")
@click.option("--all", "everything", is_flag=True, help="Show changes that take nothing away, too.")
@format_option
@json_option
@click.pass_context
def diff(
    context: click.Context, base: Path, revision: Path, law: str, category: str, notice_days: int | None,
    waivers: Path | None, everything: bool, form: str,
) -> None:  # fmt: skip
    """Say what REVISION takes from those who use BASE: exit 0 nothing, 1 something, 2 where one cannot be read.

    Both are OpenAPI (.json, .yaml) or both GraphQL (.graphql); the extension decides.
    """
    from services.contracts.reading import UnreadableDocument

    try:
        report = _report(base, revision, law, waivers, category, notice_days)
    except UnreadableDocument as error:
        raise CommandFailed("unreadable", f"{error}.", exit_code=2) from error
    show(report, form, notes=everything)
    context.exit(1 if report.errors else 0)


def _report(
    base: Path, revision: Path, law: str, waivers: Path | None, category: str, notice_days: int | None
) -> "Report":
    from app.cli.contract_checking import today
    from services.contracts.comparing import compare_documents
    from services.contracts.findings import Category
    from services.contracts.reading import read_path
    from services.contracts.reports import Report, entry_of, sorted_entries, waive

    given = [] if waivers is None else _waivers(waivers)
    findings = compare_documents(
        read_path(base), read_path(revision), today=today(), category=Category(category), notice_days=notice_days
    )
    entries = [entry_of(finding, file=str(revision), law=law) for finding in findings]
    if waivers is not None:
        entries = waive(entries, given, file=str(waivers), today=today())
    return Report(title=f"{base} → {revision}", entries=sorted_entries(entries))


def _waivers(path: Path) -> "list[Waiver]":
    from services.contracts.reading import UnreadableDocument
    from services.contracts.waivers import read_waivers

    try:
        return read_waivers(path.read_bytes(), str(path))
    except OSError as error:
        raise UnreadableDocument(error.strerror or "cannot be opened", name=str(path)) from error
