"""`dovetail contract changelog`, `rules` and `waivers`: what changed, by which rules, and what may pass."""

from typing import TYPE_CHECKING

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import json_option
from app.cli.output import emit, emit_rows

if TYPE_CHECKING:
    from rest.contracts.checking import Past
    from services.contracts.findings import Finding


@click.command()
@click.argument("api")
@click.option(
    "--since", metavar="REF", help="A commit, branch or tag; default the newest tag, else the first snapshot."
)
@json_option
def changelog(api: str, since: str | None) -> None:
    """Print what changed in an API since REF, as Markdown: grouped, in a stable order."""
    from services.contracts.changelogs import changelog as written
    from services.contracts.changelogs import group_of
    from services.contracts.histories import UnreadableBase
    from services.contracts.reading import UnreadableDocument

    try:
        reference, findings, begun = _findings(api, since)
    except UnreadableBase as error:
        raise CommandFailed("base_unreadable", str(error), exit_code=2) from error
    except UnreadableDocument as error:
        raise CommandFailed("unreadable", f"{error}.", exit_code=2) from error
    told = [{"group": group_of(f), "operation": f.operation, "where": f.where, "message": f.message,
             "fingerprint": f.fingerprint} for f in findings]  # fmt: skip
    text = written(f"{api} since {reference}", findings, [_begins(api, version) for version in begun])
    emit({"api": api, "since": reference, "begun": begun, "changes": told}, text.rstrip("\n"))


def _begins(api: str, version: str) -> str:
    """A version's first document is no change of another; what differs is told where versions are compared."""
    from rest.contracts.registry import APIS

    before = APIS[api].names[: APIS[api].names.index(version)]
    if not before:
        return f"{api} {version} begins."
    return f"{api} {version} begins. What differs from {before[-1]} is on the reference page /docs/changelog."


def _findings(api: str, since: str | None) -> "tuple[str, list[Finding], list[str]]":
    from rest.contracts.checkouts import read_past
    from rest.contracts.registry import APIS

    if api not in APIS:
        raise click.UsageError(f"There is no API {api!r}; there are {', '.join(APIS)}.")
    reference = since or _newest(api)
    return reference, *_compare(api, read_past(reference))


def _compare(api: str, past: "Past") -> "tuple[list[Finding], list[str]]":
    """What changed in each version, and the versions that there were not."""
    from app.cli.contract_checking import today
    from rest.contracts.checking import snapshot_file
    from rest.contracts.checkouts import read_file
    from rest.contracts.registry import APIS
    from services.contracts.comparing import compare_documents
    from services.contracts.reading import read_document

    found: list[Finding] = []
    begun: list[str] = []
    for version in APIS[api].names or ("",):
        file = APIS[api].schema or snapshot_file(APIS, api, version)
        old, new = past.side.file(file), read_file(file)
        if old is not None and new is not None:
            found += compare_documents(read_document(old, file), read_document(new, file), today=today())
        elif new is not None and version:
            begun.append(version)
    return found, begun


def _newest(api: str) -> str:
    from rest.contracts.checking import snapshot_file
    from rest.contracts.checkouts import ROOT
    from rest.contracts.registry import APIS
    from services.contracts.histories import History, UnreadableBase

    history = History.around(ROOT)
    said = APIS[api]
    file = said.schema or snapshot_file(APIS, api, said.names[-1])
    found = history.newest_tag() or history.first_with(file)
    if found is None:
        raise UnreadableBase(f"No commit has {file} yet; name a base with --since.")
    return found


@click.command()
@json_option
def rules() -> None:
    """List the rules of the law, for OpenAPI and for GraphQL, with what each one is about."""
    from services.contracts.comparing import rule_texts

    rows = [{"rule": rule.id, "law": rule.family, "summary": rule.summary, "help": rule.help} for rule in rule_texts()]
    emit_rows("rules", rows, ("rule", "law", "help"))


@click.command()
@json_option
def waivers() -> None:
    """List the waivers of this checkout: what may pass, why, who answers for it, and until when."""
    from app.cli.contract_checking import today
    from rest.contracts.checkouts import WAIVERS, read_file
    from services.contracts.reading import UnreadableDocument
    from services.contracts.waivers import read_waivers

    try:
        found = read_waivers(read_file(WAIVERS) or b"", WAIVERS)
    except UnreadableDocument as error:
        raise CommandFailed("unreadable", f"{error}.", exit_code=2) from error
    columns = ("fingerprint", "owner", "ends", "expired", "reason")
    rows = [
        {
            "fingerprint": w.fingerprint,
            "owner": w.owner,
            "ends": str(w.ends),
            "expired": w.ends < today(),
            "reason": w.reason,
        }
        for w in found
    ]
    emit_rows("waivers", rows, columns)
