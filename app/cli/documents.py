"""`dovetail openapi` and `dovetail schema`: the contracts as documents."""

from pathlib import Path

import rich_click as click

from app.cli.failures import CommandFailed
from app.cli.options import json_option
from app.cli.output import emit, print_json, wants_json

_out = click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; default standard output."
)  # fmt: skip


@click.command()
@_out
@json_option
def openapi(out: Path | None) -> None:
    """Print the OpenAPI document of /integrations/v1, as its snapshot is written."""
    from rest.contracts.documents import document, render

    found = render(document("integrations", "v1"))
    if out is None:
        click.echo(found, nl=False)
    else:
        _write(out, found)


@click.command()
@_out
@json_option
def schema(out: Path | None) -> None:
    """Print the GraphQL schema (SDL)."""
    from graph.schema import sdl

    text = sdl()
    if out is not None:
        _write(out, text)
    elif wants_json():
        print_json({"sdl": text})
    else:
        click.echo(text, nl=not text.endswith("\n"))


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed("cannot_write", f"Cannot write {out}: {error.strerror}.") from error
    emit({"file": str(out)}, f"Written to {out}.")
