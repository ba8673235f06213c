"""`python -m tests.architecture.connectors_table` writes docs/operations/built-in-definitions.md from the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from services.integrations.connectors.files import built_in_definitions
from services.integrations.connectors.loading import built_in_id
from services.integrations.definitions.compiling import secrets_schema
from services.integrations.definitions.model import Definition, Schema

NOTES = Path(__file__).with_name("connectors_notes.yaml")
PAGE = Path(__file__).parents[2] / "docs" / "operations" / "built-in-definitions.md"
_HEAD = """\
# Built-in definitions

They come with the server as files in `connectors/`. `dovetail migrate` writes those that the database lacks; every
tenant sees them, and nobody changes them. A name and version is never written again: new behaviour is a new version.
The one before is then deprecated: its instances work on, and new ones are made of the newer. The ids are the same on
every server.

Of each there is a connection and a call below. `ID` is the `id` that the first answers with, `TOKEN` is a bearer token;
the rest is in [Integrations](../surfaces/integrations.md). With `-d '{"resourceType": "tags", "parent": "…"}'`
`POST /api/v1/integrations/ID/discover` lists what there is, and `POST /api/v1/integrations/ID/test` tries the
connection.

This page is made from the files; `python -m tests.architecture.connectors_table` writes it anew.
"""
_HEADERS = '-H "Authorization: Bearer $TOKEN" \\\n  -H "Content-Type: application/json" \\'


def page() -> str:
    """The whole page."""
    known = notes()
    return "\n".join([_HEAD, *(_section(each, known[each.name]) for each in built_in_definitions())])


class Note(msgspec.Struct, forbid_unknown_fields=True):
    """What the files do not say: what the vendor wants, and a call that works."""

    needs: str
    #: None where nothing is called: webhooks come in.
    call: tuple[str, dict[str, Any]] | None = None
    config: dict[str, str] = {}
    credentials: dict[str, str] = {}

    def connection(self, kind: str) -> dict[str, Any]:
        """The body that connects an instance."""
        secrets = {"credentials": self.credentials} if self.credentials else {}
        return {"type": kind, "name": f"Our {kind}", "config": self.config} | secrets


def notes() -> dict[str, Note]:
    """By the names of the definitions."""
    return msgspec.yaml.decode(NOTES.read_bytes(), type=dict[str, Note])


def _section(definition: Definition, note: Note) -> str:
    lines = [
        f"## {definition.name}",
        "",
        f"{definition.description}.",
        "",
        f"Version {definition.version}, id `{built_in_id(definition.name, definition.version)}`.",
        "",
        *_given(definition),
        note.needs.strip(),
        "",
        "```sh",
        f"curl http://127.0.0.1:8000/api/v1/integrations {_HEADERS}",
        f"  -d '{_json(note.connection(definition.name))}'",
        *(_events(definition) if note.call is None else _called(definition, *note.call)),
        "",
    ]
    return "\n".join(lines)


def _called(definition: Definition, method: str, parameters: dict[str, Any]) -> list[str]:
    """A call, and what else can be called."""
    found = sorted(definition.discover or ())
    return [
        f"curl http://127.0.0.1:8000/api/v1/integrations/instances/$ID/methods/{method}/execute {_HEADERS}",
        f"  -d '{_json({'parameters': parameters})}'",
        "```",
        "",
        f"A connection is tested with `{definition.verification.method if definition.verification else None}`; "
        f"{'nothing' if not found else _named(found)} can be discovered.",
        "",
        *_methods(definition),
    ]


def _methods(definition: Definition) -> list[str]:
    rows = [f"| `{method.name}` | {method.description} | {method.effect} |" for method in definition.methods]
    return ["| Method | Does | Effect |", "|---|---|---|", *rows]


def _events(definition: Definition) -> list[str]:
    events = (definition.webhook and definition.webhook.events) or ()
    rows = (f"| `{event.name}` | {event.description} |" for event in events)
    told = "The answer has the URL, and the secret where none was given: [receive webhooks](receive-webhooks.md)."
    return ["```", "", told, "", "| Event | Tells |", "|---|---|", *rows]


def _given(definition: Definition) -> list[str]:
    """What an instance is given, as a table; empty where it is nothing."""
    secrets = secrets_schema(definition)
    rows = [*_rows("config", definition.config_schema or {}), *_rows("credentials", secrets)]
    return ["| Give | | What |", "|---|---|---|", *rows, ""] if rows else []


def _rows(part: str, schema: Schema) -> list[str]:
    required = schema.get("required", ())
    return [
        f"| `{part}.{name}` | {'required' if name in required else 'optional'} | {inner.get('description', '')} |"
        for name, inner in schema.get("properties", {}).items()
    ]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _named(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    PAGE.write_text(page())
