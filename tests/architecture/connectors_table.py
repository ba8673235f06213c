"""`python -m tests.architecture.connectors_table` writes docs/operations/built-in-definitions.md from the data."""

from __future__ import annotations

from pathlib import Path

from services.integrations.connectors.files import built_in_definitions
from services.integrations.connectors.loading import built_in_id
from services.integrations.definitions.compiling import secrets_schema
from services.integrations.definitions.model import Definition
from services.integrations.definitions.schemas import property_names

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "built-in-definitions.md"
_HEAD = """\
# Built-in definitions

They come with the server as files in `connectors/`. `dovetail migrate` writes those that the database lacks; every
tenant sees them, and nobody changes them. A name and version is never written again: new behaviour is a new version,
and instances stay with theirs. The ids are the same on every server.

This page is made from the files; `python -m tests.architecture.connectors_table` writes it anew.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(definition) for definition in built_in_definitions())])


def _section(definition: Definition) -> str:
    secrets = sorted(property_names(secrets_schema(definition)) or ())
    config = sorted(property_names(definition.config_schema) or ())
    lines = [
        f"## {definition.name}",
        "",
        f"{definition.description}.",
        "",
        f"Version {definition.version}, id `{built_in_id(definition.name, definition.version)}`; "
        f"authType `{definition.auth_type}`; secrets {_named(secrets)}; configuration {_named(config)}; "
        f"discovers {_named(sorted(definition.discover or ()))}.",
        "",
        "| Method | Does | Effect |",
        "|---|---|---|",
        *(f"| `{method.name}` | {method.description} | {method.effect} |" for method in definition.methods),
        "",
    ]
    return "\n".join(lines)


def _named(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


if __name__ == "__main__":
    PAGE.write_text(page())
