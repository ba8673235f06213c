"""`dovetail audit`: the history, its export, and the proof that nobody changed it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import rich_click as click

from app.cli.options import INSTANT, limit_option
from app.cli.output import emit, emit_one, emit_rows, shown
from app.cli.sessions import in_tenant, with_runtime

if TYPE_CHECKING:
    from services.context import Context
    from services.runtime import Runtime

LISTED = ("seq", "at", "actor_id", "surface", "action", "outcome", "resource", "resource_id", "request_id")
_since = click.option("--since", type=INSTANT, help="From this day or instant on.")
_until = click.option("--until", type=INSTANT, help="Until before this day or instant.")


@click.group()
def audit() -> None:
    """Read, export and verify the audit history."""


@audit.command("list")
@click.option("--action", help="Like credential.issued.")
@click.option("--outcome", type=click.Choice(["allow", "deny", "error"]))
@click.option("--installation", type=click.UUID)
@click.option("--actor", help="Who did it, as the history names them.")
@click.option("--request-id")
@_since
@_until
@limit_option(50)
@in_tenant
async def list_(context: "Context", limit: int, **filters: Any) -> None:
    """List events, the latest first."""
    from app.cli.pages import rows_of
    from services.audit import list_audit_events
    from services.chain.entries import FIELDS

    await context.runtime.sealer.seal_all()
    rows, more = await rows_of(list_audit_events, context, limit, filters=filters, descending=True)
    emit_rows("events", [shown(row, ("seq", *FIELDS)) for row in rows], LISTED, more=more)


@audit.command()
@click.argument("request_id")
@in_tenant
async def explain(context: "Context", request_id: str) -> None:
    """Say which rule refused the request with this id (the X-Request-Id of its answer)."""
    from services.audit import explain_decision
    from services.chain.entries import FIELDS

    found = shown(await explain_decision(context, request_id), FIELDS)
    order = ("at", "action", "code", "rule", "expected", "seen", "actor_kind", "actor_id", "attribution", "repeats")
    emit_one({name: found[name] for name in order} | {n: v for n, v in found.items() if n not in order}, "decision")


@audit.command()
@click.option("--tenant", metavar="SLUG|ID", help="Only this tenant's chain.")
@click.option("--all", "every", is_flag=True, help="Every chain of this server (the default).")
@click.option(
    "--anchors", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Anchors from elsewhere; default anchors.ndjson in the home folder.",
)  # fmt: skip
@with_runtime
async def verify(runtime: "Runtime", tenant: str | None, every: bool, anchors: Path | None) -> None:
    """Walk the chains: exit 1, and each fault on a line, where an event was edited, lost or moved."""
    from app.cli.audit_verifying import verify_chains

    if tenant is not None and every:
        raise click.UsageError("--tenant and --all exclude each other.")
    await verify_chains(runtime, tenant, anchors)


@audit.command()
@click.option("--format", "form", type=click.Choice(["ndjson", "csv"]), default="ndjson", show_default=True)
@_since
@_until
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; default standard output.")
@in_tenant
async def export(
    context: "Context", form: Literal["ndjson", "csv"], since: int | None, until: int | None, out: Path | None
) -> None:
    """Export the tenant's chain. The export itself is an event of it."""
    from app.cli.audit_exporting import export_chain

    await export_chain(context, form, since, until, out)


@audit.command()
@with_runtime
async def anchor(runtime: "Runtime") -> None:
    """Write the end of every chain that has grown to anchors.ndjson, and give it to the webhook of the settings."""
    from services.chain.anchors import anchor_file, take_anchors

    await runtime.sealer.seal_all()
    path = anchor_file(runtime.settings.home)
    taken = await take_anchors(runtime.database, runtime.clock, path, runtime.send_anchor)
    rows = [
        shown({"tenant": a.tenant, "seq": a.seq, "mac": a.mac, "at": a.at}, ("tenant", "seq", "mac", "at"))
        for a in taken
    ]
    emit({"file": str(path), "anchors": rows}, f"{len(rows)} anchors written to {path}.")
