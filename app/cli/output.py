"""What a command prints: one JSON document for `--json`, else text for a person."""

import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import click

_JSON = "dovetail.json"
_WIDE = 400


def ask_json(context: click.Context, value: bool) -> None:
    context.meta[_JSON] = context.meta.get(_JSON, False) or value


def wants_json() -> bool:
    context = click.get_current_context(silent=True)
    return bool(context is not None and context.meta.get(_JSON))


def print_json(document: Any) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2).decode())


def emit(document: Any, text: str) -> None:
    """The document for `--json`, else the text."""
    if wants_json():
        print_json(document)
    else:
        click.echo(text)


def plain(value: Any) -> str:
    """A value as text that cannot steer a terminal."""
    text = "" if value is None else str(value)
    return "".join(c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") else "\N{REPLACEMENT CHARACTER}"
                   for c in text)  # fmt: skip


def shown(row: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """The columns of a row as they leave the command: instants (ms) in ISO 8601, ids as text."""
    return {name: _leaving(name, row[name]) for name in columns}


def _leaving(name: str, value: Any) -> Any:
    from app.clock import iso

    if isinstance(value, int) and (name.endswith(("_at", "_until")) or name == "at"):
        return iso(value)
    return str(value) if isinstance(value, UUID) else value


def emit_rows(name: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, more: bool = False) -> None:
    """A list: `{name: [...], "more": bool}`, or a table of these columns."""
    if wants_json():
        print_json({name: rows, "more": more})
    elif not rows:
        click.echo(f"No {name.replace('_', ' ')}.")
    else:
        _print_table(rows, columns)
        if more:
            click.echo("There are more; raise --limit.", err=True)


def _print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.upper().replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in columns))
    # Where nobody looks, lines must not be folded at some width: the next program wants them whole.
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDE).print(table)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return plain(" ".join(str(each) for each in value))
    return plain(value).replace("\n", " ")


def emit_one(document: Mapping[str, Any], name: str | None = None) -> None:
    """One thing: `{name: {...}}` or the thing itself, else its members a line each."""
    width = max(len(key) for key in document)
    text = "\n".join(f"{key.replace('_', ' '):<{width}}  {_cell(value)}" for key, value in document.items())
    emit({name: document} if name else document, text)
