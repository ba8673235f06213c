"""Both sides of a check: the working tree with the documents of this code, and the past of its checkout."""

from collections.abc import Iterator
from pathlib import Path

from rest.contracts.checking import REGISTRY, Now, Past, Side
from rest.contracts.documents import document, render
from rest.contracts.registry import APIS
from rest.contracts.registry_texts import parse
from rest.contracts.versions import Api
from services.contracts.histories import History, UnreadableBase
from services.contracts.reading import UnreadableDocument

WAIVERS = "rest/contracts/waivers.toml"
#: The checkout that this code is run from.
ROOT = Path(__file__).resolve().parents[2]


def read_now(schemas: dict[str, bytes]) -> Now:
    """The working tree; `schemas` are the live texts of the APIs that have one, which another surface makes."""
    live = {
        (name, version): render(document(name, version)).encode() for name, api in APIS.items() for version in api.names
    }
    return Now(Side(APIS, read_file), live | {(name, ""): text for name, text in schemas.items()})


def read_file(path: str) -> bytes | None:
    """A file of the working tree; None where there is none."""
    try:
        return (ROOT / path).read_bytes()
    except FileNotFoundError:
        return None


def read_past(reference: str) -> Past:
    """The base of a check. Raises `UnreadableBase`, also where the base has a registry that cannot be read."""
    history = History.around(ROOT)
    if history.root != ROOT:
        raise UnreadableBase(f"The code is in {ROOT}, which is no checkout of its own; run this in a clone.")
    base = history.fork_of(reference)

    def since(path: str) -> Iterator[tuple[str, bytes | None]]:
        for commit in history.commits_since(base, path):
            yield commit[:12], history.file(commit, path)

    return Past(Side(_registry(history, base), lambda path: history.file(base, path)), since)


def _registry(history: History, base: str) -> dict[str, Api]:
    text = history.file(base, REGISTRY)
    if text is None:
        raise UnreadableBase(f"The base {base[:12]} has no {REGISTRY}: name one that knows the contracts.")
    try:
        return parse(text.decode())
    except (UnreadableDocument, UnicodeDecodeError) as error:
        raise UnreadableBase(f"{REGISTRY} of the base {base[:12]}: {error}.") from error
