"""`dovetail contract impact`: who is hit by what a change of a contract takes away."""

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import json_option
from app.cli.output import plain, print_json, wants_json
from app.cli.sessions import choose_tenant, context_for, opened
from app.errors import ValidationFailed
from app.settings import load_settings

if TYPE_CHECKING:
    from services.contracts.impact import Impact, ImpactReport
    from services.contracts.reading import ContractDocument

UNREADABLE = 2
_WINDOW = re.compile(r"([1-9]\d{0,3})d")


def _days(_: click.Context, __: click.Parameter, value: str) -> int:
    match = _WINDOW.fullmatch(value.strip().lower())
    if match is None:
        raise click.BadParameter(f"{value!r} is no window; write it in days, like 30d")
    return int(match[1])


@click.command()
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("revision", type=click.Path(path_type=Path))
@click.option("--window", "days", default="30d", show_default=True, callback=_days, help="How far to look back.")
@click.option("--tenant", metavar="SLUG|ID", help="Only the callers of this tenant; default those of all.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@json_option
@click.pass_context
def impact(context: click.Context, base: Path, revision: Path, days: int, tenant: str | None, form: str) -> None:
    """Show who used what REVISION takes away from BASE.

    Both are OpenAPI documents (JSON or YAML) or SDL files. The uses are those that this server recorded. Exit status:
    0 nobody is hit, 1 somebody is or may be, 2 a document cannot be read.
    """
    documents = _read(base), _read(revision)
    report = asyncio.run(_report(*documents, days, tenant))
    if form == "json" or wants_json():
        print_json(_document(report))
    else:
        click.echo(_text(report))
    context.exit(0 if report.is_safe else 1)


def _read(path: Path) -> "ContractDocument":
    from services.contracts.reading import UnreadableDocument, read_path

    try:
        return read_path(path)
    except UnreadableDocument as error:
        raise CommandFailed("unreadable", f"{error}.", exit_code=UNREADABLE) from error


async def _report(
    base: "ContractDocument", revision: "ContractDocument", days: int, named: str | None
) -> "ImpactReport":
    from app.auth.principal import NO_TENANT
    from graph.schema import sdl
    from rest.contracts.documents import learn_contracts
    from services.contracts.impact import get_contract_impact

    async with opened(load_settings()) as runtime:
        learn_contracts(runtime.usage.elements, runtime.contracts, sdl)
        tenant = NO_TENANT if named is None else (await choose_tenant(runtime, named))["id"]
        context = context_for(runtime, tenant)
        try:
            return await get_contract_impact(context, base, revision, days, all_tenants=named is None)
        except ValidationFailed as error:
            raise CommandFailed("validation_failed", error.message, exit_code=UNREADABLE) from error


def _document(report: "ImpactReport") -> dict[str, Any]:
    return {
        "api": report.api, "version": report.version, "safe": report.is_safe, "window": report.window._asdict(),
        "impacts": [_one(impact) for impact in report.impacts],
    }  # fmt: skip


def _one(impact: "Impact") -> dict[str, Any]:
    finding = impact.finding
    names = ("rule", "operation", "where", "message", "fingerprint")
    return {
        **{name: getattr(finding, name) for name in names},
        "state": str(impact.state), "reason": impact.reason, "more": impact.more,
        "callers": [caller._asdict() for caller in impact.callers],
    }  # fmt: skip


def _text(report: "ImpactReport") -> str:
    window = report.window
    what = " ".join(part for part in (report.api, report.version) if part) or "a contract that is not served here"
    lines = [f"Uses of {what} from {window.since} to {window.until}."]
    lines += [f"  {sentence}" for sentence in window.missing]
    if not report.impacts:
        lines.append("Nothing is taken away.")
    for impact in report.impacts:
        place = " ".join(part for part in (impact.finding.operation, impact.finding.where) if part)
        lines.append(f"\n{str(impact.state).replace('_', ' ').upper()}  {place}  ({impact.finding.rule})")
        lines.append(f"  {impact.finding.message}")
        if impact.reason:
            lines.append(f"  {impact.reason}")
        lines += [
            f"  {caller.requests:>8} requests, last on {caller.last_on}: {caller.kind} {caller.name or caller.client}"
            for caller in impact.callers
        ]
        if impact.more:
            lines.append("  and others")
    return "\n".join(plain(line) for line in lines)
