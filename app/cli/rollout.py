"""`dovetail rollout`: does a running server do what the contract says, before and after a deploy."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from app.cli.options import json_option
from app.cli.output import emit_rows, print_json, wants_json
from app.cli.rollout_http import (
    ApiVersion,
    Site,
    Unreachable,
    given_key,
    key_option,
    site_option,
    unreachable,
    version_option,
)

if TYPE_CHECKING:
    from app.cli.rollout_checks import Finding, Rollout

COLUMNS = ("check", "result", "short")


@click.group()
def rollout() -> None:
    """Check a deploy."""


@rollout.command()
@site_option
@key_option
@version_option
@click.option(
    "--previous", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="SNAPSHOT",
    help="The openapi.json of the version before; its promises must still hold.",
)  # fmt: skip
@json_option
@click.pass_context
def check(context: click.Context, base_url: str, api_key: str, api_version: ApiVersion, previous: Path | None) -> None:
    """Run the minimum checks against a running server: exit 1, and what fell short, where one fails.

    It only reads. It sends about thirty requests, and three of them without a good key.
    """
    from app.cli.rollout_checks import Rollout, run_checks
    from app.cli.rollout_contract import contract_of, packaged_contract

    before = None if previous is None else contract_of(previous)
    site, key = Site(base_url, api_version), given_key(api_key)
    try:
        found = Rollout(site, key, packaged_contract(api_version), before)
    except Unreachable as error:
        raise unreachable(error, base_url) from error
    findings = list(run_checks(found))
    _emit(found, findings, base_url)
    context.exit(0 if all(finding.passed for finding in findings) else 1)


def _emit(found: "Rollout", findings: "list[Finding]", base_url: str) -> None:
    rows = [{"check": f.check, "result": "ok" if f.passed else "FAILED", "short": "; ".join(f.short)} for f in findings]
    failed = sum(not finding.passed for finding in findings)
    if wants_json():
        told = [{"check": f.check, "ok": f.passed, "short": f.short} for f in findings]
        print_json({"ok": not failed, "base_url": base_url, "version": found.contract.version, "checks": told})
        return
    emit_rows("checks", rows, COLUMNS)
    end = f"{failed} of {len(findings)} checks FAILED." if failed else f"All {len(findings)} checks passed."
    click.echo(f"\n{base_url} against the contract {found.contract.version}: {end}")
