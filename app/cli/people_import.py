"""`dovetail people import`: a file of any length, in batches, resumable."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec

from app.cli.failures import CommandFailed
from app.cli.import_batches import Importer, batches
from app.cli.import_display import Display
from app.cli.import_lines import Line, read_lines
from app.cli.import_progress import Progress, load_progress, progress_file, save_progress, size_of
from app.cli.import_syncs import run_syncs
from app.cli.output import emit
from app.cli.sessions import context_for
from app.errors import Unavailable

if TYPE_CHECKING:
    from services.context import Context


async def import_file(context: "Context", file: BinaryIO, *, resume: bool, wait: bool) -> None:
    """Import every line, report, and end with exit code 1 where a line was bad."""
    kept = _progress_file(context, file, resume)
    progress = (load_progress(kept) if resume and kept else None) or Progress()
    first = progress.line
    with Display() as display:
        importer = Importer(lambda: context_for(context.runtime, context.tenant), progress, display.bad)
        await _import(importer, file, kept, display)
        syncs = await run_syncs(context, importer.people, display) if wait else None
    _summarise(progress, first, syncs)
    if progress.bad:
        click.get_current_context().exit(1)


def _progress_file(context: "Context", file: BinaryIO, resume: bool) -> Path | None:
    """Where the progress is kept; None for a stream, which cannot be read twice."""
    if file.seekable():
        return progress_file(context.runtime.settings.home, context.tenant, file)
    if resume:
        raise CommandFailed("not_resumable", "Standard input cannot be resumed; give the import a file.")
    return None


async def _import(importer: Importer, file: BinaryIO, kept: Path | None, display: Display) -> None:
    progress = importer.progress
    if progress.finished:
        return
    display.begin("importing", size_of(file) if kept else None)
    for batch in batches(_after(read_lines(file), progress.line, display)):
        try:
            await importer.take(batch)
        except Unavailable as error:
            raise _broken_off(error, progress, kept) from error
        except asyncio.CancelledError:
            if kept is not None:
                click.echo(f"Stopped after line {progress.line}; --resume goes on from there.", err=True)
            raise
        display.advance(sum(line.size for line in batch))
        if kept is not None:
            save_progress(kept, progress)
    progress.finished = True
    if kept is not None:
        save_progress(kept, progress)


def _broken_off(error: Unavailable, progress: Progress, kept: Path | None) -> CommandFailed:
    again = "run it again with --resume" if kept is not None else "run it again; what is there stays"
    text = f"{error.message} Lines up to {progress.line} are imported; {again}."
    return CommandFailed("import_broken_off", text, line=progress.line)


def _after(lines: Iterator[Line], done: int, display: Display) -> Iterator[Line]:
    """The lines that an earlier run has not finished."""
    for line in lines:
        if line.number > done:
            yield line
        else:
            display.advance(line.size)


def _summarise(progress: Progress, first: int, syncs: dict[str, Any] | None) -> None:
    counts = {name: getattr(progress, name) for name in ("created", "known", "queued", "bad", "warnings")}
    document: dict[str, Any] = {"lines": progress.line, "resumed_after": first, **counts}
    document["bad_lines"] = msgspec.to_builtins(progress.bad_lines)
    emit(document | ({"syncs": syncs} if syncs else {}), "\n".join(_sentences(progress, first, syncs)))


def _sentences(progress: Progress, first: int, syncs: dict[str, Any] | None) -> list[str]:
    told = [f"{progress.line} lines: {progress.created} people new, {progress.known} known, {progress.bad} bad lines."]
    if first:
        told.insert(0, f"Went on after line {first}; the counts are of the whole file.")
    if progress.warnings:
        told.append(f"{progress.warnings} works could not be read and were left out.")
    if syncs is not None:
        told.append(f"{syncs['complete']} synced, {syncs['failed']} failed.")
        told += [f"  {each['orcid_id']}: {each['reason']}" for each in syncs["failures"]]
    elif progress.queued:
        told.append(f"{progress.queued} syncs are queued; the server runs them, or --wait.")
    return told
