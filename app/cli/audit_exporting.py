"""`dovetail audit export`: the chain as a file or a stream."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

import click

from app.cli.failures import CommandFailed
from app.cli.output import emit, wants_json

if TYPE_CHECKING:
    from services.context import Context


async def export_chain(
    context: "Context", form: Literal["ndjson", "csv"], since: int | None, until: int | None, out: Path | None
) -> None:
    """Write the chain from `since` until before `until` (ms) to the file, or to standard output."""
    from services.audit import export_audit

    if wants_json() and out is None and form == "csv":
        raise CommandFailed("no_json_of_csv", "--json and --format csv need a file: add --out FILE.")
    await context.runtime.sealer.seal_all()
    given = {name: value for name, value in (("since", since), ("until", until)) if value is not None}
    lines = await export_audit(context, form, **given)
    if out is not None:
        count = await _to_file(lines, out) - (form == "csv")
        emit({"file": str(out), "format": form, "events": count}, f"{count} events written to {out}.")
    elif wants_json():
        await _as_document(lines)
    else:
        async for line in lines:
            click.echo(line, nl=False)


async def _to_file(lines: AsyncIterator[str], out: Path) -> int:
    """The number of lines written; the file appears whole, and only its owner may read it."""
    count = 0
    with _written_whole(out) as file:
        async for line in lines:
            file.write(line)
            count += 1
    return count


@contextmanager
def _written_whole(out: Path) -> Iterator[TextIO]:
    try:
        handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=".export-")
    except OSError as error:
        raise CommandFailed("cannot_write", f"Cannot write {out}: {error.strerror}.") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        Path(temporary).replace(out)
    finally:
        Path(temporary).unlink(missing_ok=True)


async def _as_document(lines: AsyncIterator[Any]) -> None:
    """One JSON document of an export of any length."""
    click.echo('{"events": [', nl=False)
    separator = "\n"
    async for line in lines:
        click.echo(separator + line.rstrip("\n"), nl=False)
        separator = ",\n"
    click.echo("\n]}")
