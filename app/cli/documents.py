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
@click.option("--api", default="integrations", show_default=True, help="A public API, as the registry names it.")
@click.option("--version", default="v1", show_default=True, help="One of its versions.")
@_out
@json_option
def openapi(api: str, version: str, out: Path | None) -> None:
    """Print the OpenAPI document of a version of a public API, as its snapshot is written."""
    from rest.contracts.documents import document, render
    from rest.contracts.registry import APIS

    known = [f"{name} {each}" for name, one in APIS.items() for each in one.versions]
    if f"{api} {version}" not in known:
        text = f"There is no contract {api} {version}; there are {', '.join(known)}."
        raise CommandFailed("contract_unknown", text, api=api, version=version)
    found = render(document(api, version))
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
