"""The saved operations: files that the console offers, and all that runs where only trusted documents do.

A file holds one named operation. Comments at its top describe it: the first line is its title, `# domain: NAME` and
`# variables: {JSON}` are optional.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

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
    """Saved operations by their document id."""

    def __init__(self, saved: Mapping[str, tuple[SavedOperation, Document]]) -> None:
        self._saved = saved
        self.listing = msgspec.json.encode([operation for operation, _ in saved.values()])

    def __len__(self) -> int:
        return len(self._saved)

    def find(self, wanted: str) -> Document | None:
        found = self._saved.get(wanted)
        return None if found is None else found[1]


def operations_folder() -> Path:
    """`graph/operations` in an installed wheel, `graphql/operations` in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "operations"
    return inside if inside.is_dir() else package.parent / "operations"


def load_manifest(documents: Documents, folder: Path | None = None) -> Manifest:
    """Read and check every `*.graphql` of a folder. Raises ManifestError."""
    saved = {}
    for file in sorted((folder or operations_folder()).glob("*.graphql")):
        operation, document = _load(file, documents)
        saved[operation.document_id] = operation, document
    return Manifest(saved)


def _load(file: Path, documents: Documents) -> tuple[SavedOperation, Document]:
    text = file.read_text(encoding="utf-8")
    try:
        document = documents.prepare(text)
    except DocumentRefused as refused:
        problems = "; ".join(fault.message for fault in refused.faults)
        raise ManifestError(f"{file}: {problems}") from None
    if len(document.operations) != 1 or document.operations[0].name is None:
        raise ManifestError(f"{file}: a file holds one operation, with a name")
    name = document.operations[0].name
    return _described(file, text, name), document


def _described(file: Path, text: str, name: str) -> SavedOperation:
    said: dict[str, str] = {}
    title = name
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
