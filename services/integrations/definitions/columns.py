"""The columns of a definition, made from it and made into it again."""

from collections.abc import Mapping
from typing import Any

import msgspec

from services.integrations.definitions.model import Definition
from services.people.names import fold_query

#: Columns that hold JSON text, and the fields of a Definition that they hold.
JSON_PARTS = (
    "allowed_hosts", "methods", "config_schema", "secrets_schema", "auth_config", "oauth2_config", "default_config",
    "verification", "discover", "error_rules", "webhook",
)  # fmt: skip
DEFAULT_CATEGORY = "generic"
_PLAIN_PARTS = ("name", "description", "type", "auth_type", "base_url")
#: All that a definition is made of again.
CONTENT = (*_PLAIN_PARTS, "semver", "category", *JSON_PARTS)
_WIRE = dict(zip(Definition.__struct_fields__, Definition.__struct_encode_fields__, strict=True))


def stored(definition: Definition) -> dict[str, Any]:
    """The columns of a definition."""
    values: dict[str, Any] = {name: getattr(definition, name) for name in _PLAIN_PARTS}
    for name in JSON_PARTS:
        part = getattr(definition, name)
        values[name] = None if part is None else msgspec.json.encode(part).decode()
    return values | {
        "semver": definition.version,
        "category": definition.category or DEFAULT_CATEGORY,
        "search_text": fold_query(f"{definition.name}\n{definition.description}"),
    }


def definition_of(row: Mapping[str, Any]) -> Definition:
    """The definition as it was written, from its whole row."""
    parts = {name: row[name] for name in (*_PLAIN_PARTS, "category", *JSON_PARTS) if row[name] is not None}
    encode = msgspec.json.encode
    wire = {
        _WIRE[name]: msgspec.Raw(text.encode() if name in JSON_PARTS else encode(text)) for name, text in parts.items()
    }
    return msgspec.json.decode(encode(wire | {"version": row["semver"]}), type=Definition)
