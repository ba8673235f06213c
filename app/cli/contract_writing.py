"""`dovetail contract snapshot` and `new-version`: what writes into the checkout."""

from pathlib import Path

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import json_option
from app.cli.output import emit


@click.command()
@click.option("--api", metavar="API", help="One API; default all.")
@click.option("--version", metavar="V", help="One version of it; default the active one.")
@json_option
def snapshot(api: str | None, version: str | None) -> None:
    """Write the snapshots of the active versions, and the schemas, from the code. A frozen version is refused."""
    from rest.contracts.registry import APIS

    if api is not None and api not in APIS:
        raise click.UsageError(f"There is no API {api!r}; there are {', '.join(APIS)}.")
    if version is not None and api is None:
        raise click.UsageError("Name the API of the version with --api.")
    chosen = [(name, version or APIS[name].active) for name in ([api] if api else APIS)]
    written = [file for name, each in chosen if (file := _write(name, each)) is not None]
    emit(
        {"written": written},
        "\n".join(f"Written to {file}." for file in written) or "No active version: nothing to write.",
    )


def _write(name: str, version: str | None) -> str | None:
    """The file that was written; None where the API has neither an active version nor a schema."""
    from rest.contracts.checking import snapshot_file
    from rest.contracts.checkouts import ROOT
    from rest.contracts.documents import document, render
    from rest.contracts.registry import APIS

    api = APIS[name]
    if api.schema is not None:
        from graph.schema import sdl

        return _put(ROOT / api.schema, sdl(), api.schema)
    if version is None:
        return None
    if version not in api.names:
        raise click.UsageError(f"{name} has no version {version!r}; it has {', '.join(api.names)}.")
    if version in api.frozen:
        said = f"{name} {version} is frozen: its snapshot is never written again. Change the code back."
        raise CommandFailed("frozen", said)
    file = snapshot_file(APIS, name, version)
    return _put(ROOT / file, render(document(name, version)), file)


def _put(path: Path, text: str, file: str) -> str:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed("cannot_write", f"Cannot write {file}: {error.strerror}.") from error
    return file


@click.command("new-version")
@click.argument("api")
@json_option
def new_version(api: str) -> None:
    """Freeze the active version of API and begin the next: its package, registry entry, snapshot and tests.

    Where none is active, the last frozen one is the model.
    """
    from app.cli.contract_checking import today
    from rest.contracts.checkouts import ROOT
    from rest.contracts.registry import APIS
    from rest.contracts.scaffolds import CannotBegin, begin_version

    if api not in APIS or APIS[api].schema is not None:
        versioned = [name for name, found in APIS.items() if found.schema is None]
        raise click.UsageError(f"{api!r} has no versions; those that have: {', '.join(versioned)}.")
    try:
        made = begin_version(ROOT, api, APIS, today())
    except CannotBegin as error:
        raise CommandFailed("cannot_begin", str(error)) from error
    frozen = f"{api} {made.model} is frozen. " if made.froze else ""
    text = f"{frozen}{api} {made.version} begins as a copy of {made.model}:\n" + "\n".join(
        f"  {file}" for file in made.files
    )
    emit(made._asdict(), text)
