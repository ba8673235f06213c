"""Waivers: findings that may pass for a while, each with a reason, an owner and an end, in one reviewed file."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from services.contracts.reading import UnreadableDocument

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_MEMBERS = frozenset({"fingerprint", "reason", "owner", "ends"})


class Waiver(msgspec.Struct, frozen=True):
    """`ends` is the last day on which it is good."""

    fingerprint: str
    reason: str
    owner: str
    ends: date


def read_waivers(data: bytes, name: str) -> list[Waiver]:
    """The waivers of a TOML file: tables `[[waiver]]`. `UnreadableDocument` names the entry and the rule."""
    try:
        found = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnreadableDocument(f"no TOML: {error}", name=name) from error
    unknown = found.keys() - {"waiver"}
    entries = found.get("waiver", [])
    if unknown or not isinstance(entries, list):
        raise UnreadableDocument("only tables [[waiver]] may stand here", name=name)
    waivers = [_waiver(entry, f"{name}: waiver {number}") for number, entry in enumerate(entries, 1)]
    _refuse_twice(waivers, name)
    return waivers


def _waiver(entry: object, name: str) -> Waiver:
    if not isinstance(entry, dict):
        raise UnreadableDocument("is no table", name=name)
    if entry.keys() != _MEMBERS:
        odd = ", ".join(sorted(entry.keys() ^ _MEMBERS))
        raise UnreadableDocument(f"has fingerprint, reason, owner and ends, and nothing else; look at {odd}", name=name)
    for member in ("fingerprint", "reason", "owner"):
        if not isinstance(entry[member], str) or not entry[member].strip():
            raise UnreadableDocument(f"{member}: must be text", name=name)
    if not _FINGERPRINT.fullmatch(entry["fingerprint"]):
        raise UnreadableDocument("fingerprint: must be the 16 hex digits that a report shows", name=name)
    # A TOML instant is a date too, for Python.
    if type(entry["ends"]) is not date:
        raise UnreadableDocument("ends: must be a day, like 2026-12-31 without quotes", name=name)
    return Waiver(entry["fingerprint"], entry["reason"].strip(), entry["owner"].strip(), entry["ends"])


def _refuse_twice(waivers: Iterable[Waiver], name: str) -> None:
    seen: set[str] = set()
    for waiver in waivers:
        if waiver.fingerprint in seen:
            raise UnreadableDocument(f"the fingerprint {waiver.fingerprint} stands twice", name=name)
        seen.add(waiver.fingerprint)


class Waived(msgspec.Struct, frozen=True):
    """What waivers do to findings: which fingerprints pass, and which waivers are of no use."""

    good: dict[str, Waiver]
    expired: Sequence[Waiver]
    unused: Sequence[Waiver]


def apply_waivers(waivers: Iterable[Waiver], fingerprints: Iterable[str], today: date) -> Waived:
    """An expired waiver lets nothing pass, whether it is used or not."""
    wanted = set(fingerprints)
    good: dict[str, Waiver] = {}
    expired, unused = [], []
    for waiver in waivers:
        if waiver.ends < today:
            expired.append(waiver)
        elif waiver.fingerprint in wanted:
            good[waiver.fingerprint] = waiver
        else:
            unused.append(waiver)
    return Waived(good, expired, unused)
