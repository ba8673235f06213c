"""The table of settings as a page. `python -m tests.architecture.settings_table` writes it."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

import msgspec

from app.settings import PREFIX, Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations" / "settings.md"
_HEAD = """# Settings

Each setting is an environment variable, or the same name in lower case and without `{prefix}` in `dovetail.toml`
in the home folder. The environment wins over the file. An unknown name, or a value against its rule, stops the
server at start and is named. `dovetail settings` shows each with its value and where that comes from.

| Variable | Default | Rule | Meaning |
|---|---|---|---|
"""


def _default(name: str) -> str:
    value: Any = msgspec.structs.fields(Settings)[Settings.__struct_fields__.index(name)].default
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "" if value == () else f"`{value}`"


def _rule(annotation: Any) -> str:
    kind, *metas = typing.get_args(annotation)
    bounds = [meta for meta in metas if isinstance(meta, msgspec.Meta)]
    parts = []
    for word, attribute in (("at least", "ge"), ("at most", "le")):
        parts += [f"{word} {getattr(m, attribute)}" for m in bounds if getattr(m, attribute) is not None]
    if typing.get_origin(kind) is typing.Literal:
        parts.append(" or ".join(f"`{choice}`" for choice in typing.get_args(kind)))
    if kind is bool:
        parts.append("`true` or `false`")
    if kind == tuple[str, ...]:
        parts.append("a comma list; in the file a list")
    return ", ".join(parts)


def _meaning(annotation: Any) -> str:
    return next(meta.description for meta in typing.get_args(annotation) if getattr(meta, "description", None))


def render() -> str:
    """The page as it must be."""
    hints = typing.get_type_hints(Settings, include_extras=True)
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(name)} | {_rule(hints[name])} | {_meaning(hints[name])} |"
        for name in Settings.__struct_fields__
    ]
    return _HEAD.replace("{prefix}", PREFIX) + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(render(), encoding="utf-8")
