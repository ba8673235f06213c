"""The five rules that a change of the contracts is held to, from a base to what is there now.

1 A frozen version is what its snapshot says, now, at the base and in every commit between. 2 No version goes.
3 An active version is what its snapshot says. 4 It loses nothing. 5 The next begins only where the former is frozen.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from rest.contracts.registry_invariants import faults_of
from rest.contracts.versions import Api
from services.contracts.comparing import compare_documents
from services.contracts.differences import describe
from services.contracts.reading import UnreadableDocument, read_document
from services.contracts.reports import Code, Entry, Level, entry_of

REGISTRY = "rest/contracts/registry.py"
SNAPSHOTS = "rest/contracts/snapshots"

File = Callable[[str], bytes | None]


class Side(NamedTuple):
    """A registry, and the files beside it: of a commit, or of the working tree."""

    apis: Mapping[str, Api]
    file: File


class Now(NamedTuple):
    """What is there now: the committed files, and the documents as the code makes them."""

    side: Side
    #: API and version to the document's text; an API with a schema has the version "".
    live: Mapping[tuple[str, str], bytes]


class Past(NamedTuple):
    """The base, and the commits after it that touch a file, as (short name, the file there)."""

    side: Side
    since: Callable[[str], Iterable[tuple[str, bytes | None]]]


def snapshot_file(apis: Mapping[str, Api], api: str, version: str) -> str:
    """Where a version's snapshot is, below the checkout."""
    said = apis[api].versions.get(version)
    return f"{SNAPSHOTS}/{said.snapshot if said else f'{api}-{version}.json'}"


def check(now: Now, past: Past | None, today: date) -> list[Entry]:
    """Every violation, and every change that is none. Without a past only what needs none."""
    found = [*_registry(now), *_equal(now)]
    if past is not None:
        found += [*_removed(now, past), *_frozen(now, past), *_grown(now, past, today)]
    return found


def _error(code: Code, message: str, file: str, contract: str = "") -> Entry:
    return Entry(code=code, level=Level.ERROR, message=message, file=file, contract=contract)


def _registry(now: Now) -> Iterator[Entry]:
    for fault in faults_of(now.side.apis):
        yield _error(Code.REGISTRY_INVALID, fault, REGISTRY)


def _equal(now: Now) -> Iterator[Entry]:
    """Rules 1 and 3: what the code makes is what is committed."""
    for (name, version), live in now.live.items():
        api, contract = now.side.apis[name], f"{name} {version}".strip()
        file = api.schema or snapshot_file(now.side.apis, name, version)
        committed = now.side.file(file)
        if committed == live:
            continue
        if version in api.frozen:
            moved = "its snapshot is missing" if committed is None else _moved(committed, live)
            yield _error(Code.FROZEN_CHANGED, _frozen_text(contract, name, moved), file, contract)
        else:
            moved = "nothing is committed" if committed is None else _moved(committed, live)
            said = (
                f"The code says something else than {file} ({moved}): run `make contracts` and commit what it writes."
            )
            yield _error(Code.SNAPSHOT_STALE, said, file, contract)


def _frozen_text(contract: str, api: str, moved: str) -> str:
    return (
        f"{contract} is frozen, and {moved}: put it back as it was, and make the change in the next version "
        f"(`dovetail contract new-version {api}` begins one)."
    )


def _moved(before: bytes, after: bytes) -> str:
    """What differs, in the document's terms where both are JSON."""
    try:
        return describe(json.loads(before), json.loads(after)) or "its text is written otherwise"
    except (ValueError, RecursionError, AttributeError):
        lines = enumerate(zip(before.splitlines(), after.splitlines(), strict=False), 1)
        at = next((number for number, (old, new) in lines if old != new), None)
        return f"line {at} changed" if at else "lines were added or taken away"


def _removed(now: Now, past: Past) -> Iterator[Entry]:
    """Rule 2, and with it rule 5: an active version that is replaced must be among the frozen ones."""
    for name, before in past.side.apis.items():
        after = now.side.apis.get(name)
        if after is None or (before.schema and not after.schema):
            said = f"{name} was published and is not in the registry any more: put it back into {REGISTRY}."
            yield _error(Code.VERSION_REMOVED, said, REGISTRY, name)
            continue
        for version in before.names:
            if version not in after.names:
                said = (
                    f"{name} {version} was published and is not in the registry any more: put it back into {REGISTRY}"
                )
                replaced = version == before.active and after.active not in (None, version)
                tail = f", frozen, since {after.active} takes its place." if replaced else "."
                yield _error(Code.VERSION_REMOVED, said + tail, REGISTRY, f"{name} {version}")


def _frozen(now: Now, past: Past) -> Iterator[Entry]:
    """Rule 1: one way, and the same bytes at the base, now and in every commit between."""
    for name, before in past.side.apis.items():
        after = now.side.apis.get(name)
        for version in before.names if after else ():
            contract = f"{name} {version}"
            if after and version in before.frozen and version == after.active:
                said = f"{contract} was frozen and is active again: a freeze has no way back, so list it as frozen."
                yield _error(Code.FROZEN_CHANGED, said, REGISTRY, contract)
            elif after and version in after.frozen:
                yield from _same_file(now, past, name, version, throughout=version in before.frozen)


def _same_file(now: Now, past: Past, name: str, version: str, *, throughout: bool) -> Iterator[Entry]:
    file, contract = snapshot_file(past.side.apis, name, version), f"{name} {version}"
    promised = past.side.file(file)
    if promised is None:
        return
    committed = now.side.file(snapshot_file(now.side.apis, name, version))
    if committed != promised:
        moved = "its snapshot is gone" if committed is None else f"against the base {_moved(promised, committed)}"
        yield _error(Code.FROZEN_CHANGED, _frozen_text(contract, name, moved), file, contract)
    for commit, content in past.since(file) if throughout else ():
        if content != promised:
            moved = "took its snapshot away" if content is None else f"moved it ({_moved(promised, content)})"
            said = (
                f"{contract} is frozen, and the commit {commit} {moved}: take that commit out of the branch, "
                "also where a later one put the file back."
            )
            yield _error(Code.FROZEN_CHANGED, said, file, contract)


def _grown(now: Now, past: Past, today: date) -> Iterator[Entry]:
    """Rule 4: an active version and a schema lose nothing from the base to what the code makes now."""
    for (name, version), live in now.live.items():
        before, after = past.side.apis.get(name), now.side.apis[name]
        if version in after.frozen:
            continue
        file = after.schema or snapshot_file(now.side.apis, name, version)
        if before is None or (version and version not in before.names):
            # A schema was there before the registry named it.
            old = past.side.file(file) if after.schema else None
        else:
            old = past.side.file(before.schema or snapshot_file(past.side.apis, name, version))
        if old is not None and old != live:
            yield from _changes(old, live, file, f"{name} {version}".strip(), today)


def _changes(old: bytes, live: bytes, file: str, contract: str, today: date) -> Iterator[Entry]:
    try:
        findings = compare_documents(read_document(old, file), read_document(live, file), today=today)
    except UnreadableDocument as error:
        yield _error(Code.UNKNOWN_CHANGE, f"{contract} cannot be compared with its base: {error}.", file, contract)
        return
    remedy = "Keep what was there: add beside it, and deprecate the old with a sunset; or waive it with a reason."
    for finding in findings:
        yield entry_of(finding, file=file, contract=contract, remedy=remedy)
