"""The saved operations: files that the console offers, and all that runs where only trusted documents do.

A file holds one named operation. Comments at its top describe it: the first line is its title, `# domain: NAME` and
`# variables: {JSON}` are optional.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from graphql import GraphQLError, OperationDefinitionNode, parse

from graph.documents import Document, DocumentRefused, Documents, document_id


class ManifestError(Exception):
    """A saved operation is not fit to run; the message names the file."""


class SavedOperation(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    title: str
    domain: str
    document_id: str
    query: str
    variables: dict[str, Any]


class Manifest:
    """Saved operations by their document id. Each is prepared when it is first asked for, so that a start is quick."""

    def __init__(self, documents: Documents, files: Mapping[Path, str]) -> None:
        self._documents, self._files = documents, files
        self._by_id = {document_id(text): text for text in files.values()}

    def __len__(self) -> int:
        return len(self._by_id)

    @cached_property
    def listing(self) -> bytes:
        """JSON, as the console reads it. Raises ManifestError."""
        return msgspec.json.encode([_described(file, text) for file, text in self._files.items()])

    def find(self, wanted: str) -> Document | None:
        """Raises DocumentRefused where `check` raises ManifestError."""
        text = self._by_id.get(wanted)
        return None if text is None else self._documents.prepare(text)

    def check(self) -> None:
        """Raises ManifestError, naming the file, unless all of them are described and fit to run."""
        for file, text in self._files.items():
            _described(file, text)
            try:
                self._documents.prepare(text)
            except DocumentRefused as refused:
                problems = "; ".join(fault.message for fault in refused.faults)
                raise ManifestError(f"{file}: {problems}") from None


def operations_folder() -> Path:
    """`graph/operations` in an installed wheel, `graphql/operations` in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "operations"
    return inside if inside.is_dir() else package.parent / "operations"


def load_manifest(documents: Documents, folder: Path | None = None) -> Manifest:
    """Read every `*.graphql` of a folder; what stands in them is looked at when it is asked for."""
    files = sorted((folder or operations_folder()).glob("*.graphql"))
    return Manifest(documents, {file: file.read_text(encoding="utf-8") for file in files})


def _name(file: Path, text: str) -> str:
    try:
        document = parse(text, no_location=True)
    except GraphQLError as error:
        raise ManifestError(f"{file}: {error.message}") from None
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].name is None:
        raise ManifestError(f"{file}: a file holds one operation, with a name")
    return operations[0].name.value


def _described(file: Path, text: str) -> SavedOperation:
    said: dict[str, str] = {}
    title = name = _name(file, text)
    for number, line in enumerate(text.splitlines()):
        if not line.startswith("#"):
            break
        key, colon, value = line.removeprefix("#").strip().partition(": ")
        if colon and key in ("domain", "variables"):
            said[key] = value
        elif number == 0:
            title = line.removeprefix("#").strip()
    try:
        variables = msgspec.json.decode(said.get("variables", "{}"), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ManifestError(f"{file}: the variables are no JSON object: {error}") from None
    return SavedOperation(name, title, said.get("domain", "general"), document_id(text), text, variables)
