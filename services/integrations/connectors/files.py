"""The files of the built-in definitions: YAML, one definition each, called after its name."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from services.contracts.reading import parse
from services.inputs import read_input
from services.integrations.definitions.checking import check_definition
from services.integrations.definitions.model import Definition
from services.integrations.definitions.publishing import check_publishable


def folder() -> Path:
    """Beside this module in an installed wheel, `connectors` in a checkout."""
    inside = Path(__file__).parent / "data"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "connectors"


def built_in_definitions() -> Iterator[Definition]:
    """Each built-in definition, by its name. Raises ValidationFailed for one that breaks a rule."""
    for path in sorted(folder().glob("*.yaml")):
        definition = read_input(Definition, parse(path.read_bytes(), path.name))
        check_definition(definition)
        check_publishable(definition)
        yield definition


def digest(definition: Definition) -> str:
    """SHA-256 over the definition's content, in hexadecimal; the layout of its file does not count."""
    return hashlib.sha256(msgspec.json.encode(definition, order="deterministic")).hexdigest()
