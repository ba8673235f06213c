"""`dovetail audit verify`: every chain, each fault on a line."""

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from app.cli.failures import CommandFailed
from app.cli.output import emit
from app.cli.sessions import choose_tenant

if TYPE_CHECKING:
    from services.chain.verifying import Anchor, ChainReport
    from services.runtime import Runtime


async def verify_chains(runtime: "Runtime", tenant: str | None, anchors_path: Path | None) -> None:
    """Verify one tenant's chain or all, and end with exit code 1 where there is a fault."""
    from services.chain.anchors import anchor_file
    from services.chain.verifying import verify_chain

    anchors = _anchors(anchors_path or anchor_file(runtime.settings.home))
    await runtime.sealer.seal_all()
    chains = await _chains(runtime, tenant, anchors)
    reports = [await verify_chain(runtime.database, runtime.audit_key, chain, anchors) for chain in chains]
    _emit(reports, chains)
    if any(report.faults for report in reports):
        click.get_current_context().exit(1)


def _anchors(path: Path) -> "list[Anchor]":
    import msgspec

    from services.chain.anchors import read_anchors

    try:
        return read_anchors(path)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        text = f"{path} has a line that is no anchor: {error}. Take the file from where its copy is kept."
        raise CommandFailed("anchors_unreadable", text, file=str(path)) from error


async def _chains(runtime: "Runtime", tenant: str | None, anchors: "list[Anchor]") -> dict[UUID, str]:
    """The chains to verify, each with its name. One that only the anchors know has been removed whole."""
    from app.auth.principal import NO_TENANT
    from services.tenants import all_tenants

    if tenant is not None:
        chosen = await choose_tenant(runtime, tenant)
        return {chosen["id"]: chosen["slug"]}
    named = {row["id"]: row["slug"] for row in await all_tenants()}
    return {anchor.tenant: str(anchor.tenant) for anchor in anchors} | {NO_TENANT: "no tenant"} | named


def _emit(reports: "list[ChainReport]", names: dict[UUID, str]) -> None:
    chains = [
        {
            "tenant": report.tenant,
            "name": names[report.tenant],
            "events": report.events,
            "head": report.head,
            "faults": [{"seq": f.seq, "kind": f.kind, "text": f.text} for f in report.faults],
        }
        for report in reports
    ]
    faults = sum(len(report.faults) for report in reports)
    lines = [f"{names[f.tenant]} seq {f.seq}: {f.kind}: {f.text}" for report in reports for f in report.faults]
    events = sum(report.events for report in reports)
    lines.append(f"{len(reports)} chains, {events} events: " + (f"{faults} FAULTS." if faults else "all sound."))
    emit({"ok": faults == 0, "chains": chains}, "\n".join(lines))
