"""A report: what a check or a comparison found, entry by entry, whatever form it is shown in."""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from services.contracts.comparing import verdict_of
from services.contracts.findings import Finding, Verdict
from services.contracts.waivers import Waiver, apply_waivers


class Level(StrEnum):
    """`ERROR` fails; `WAIVED` would have; `NOTE` is said."""

    ERROR = "error"
    WAIVED = "waived"
    NOTE = "note"


class Code(StrEnum):
    """What a check calls a violation; `CHANGE` is what never fails."""

    FROZEN_CHANGED = "FROZEN_CHANGED"
    VERSION_REMOVED = "VERSION_REMOVED"
    SNAPSHOT_STALE = "SNAPSHOT_STALE"
    ENDPOINT_REMOVED = "ENDPOINT_REMOVED"
    BREAKING_CHANGE = "BREAKING_CHANGE"
    UNKNOWN_CHANGE = "UNKNOWN_CHANGE"
    REGISTRY_INVALID = "REGISTRY_INVALID"
    WAIVER_EXPIRED = "WAIVER_EXPIRED"
    WAIVER_UNUSED = "WAIVER_UNUSED"
    CHANGE = "CHANGE"


#: What each code means, for those who meet it in a report.
CODE_TEXTS = {
    Code.FROZEN_CHANGED: "A frozen version never changes: its routes, its snapshot and every commit must say the same.",
    Code.VERSION_REMOVED: "A version that was published is not in the registry any more.",
    Code.SNAPSHOT_STALE: "The code says something else than the committed snapshot.",
    Code.ENDPOINT_REMOVED: "An operation is gone from an active version.",
    Code.BREAKING_CHANGE: "A change takes from those who call, or answers what was promised not to come.",
    Code.UNKNOWN_CHANGE: "The effect of a change cannot be told from the documents, so it does not pass silently.",
    Code.REGISTRY_INVALID: "The registry of versions contradicts itself.",
    Code.WAIVER_EXPIRED: "The last day of a waiver is over.",
    Code.WAIVER_UNUSED: "A waiver waives nothing.",
    Code.CHANGE: "A change that takes nothing away.",
}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found. `message` is a sentence; `file` is where to put it right, relative to the checkout."""

    code: Code
    level: Level
    message: str
    file: str
    #: `integrations v2`, `control-plane`, or empty for documents outside the registry.
    contract: str = ""
    finding: Finding | None = None
    waiver: Waiver | None = None
    #: How to put right what blocks; the same for many entries.
    remedy: str = ""

    @property
    def advice(self) -> str:
        """The message with the remedy: for forms in which each entry stands alone."""
        return f"{self.message} {self.remedy}".strip()

    @property
    def fingerprint(self) -> str:
        return self.finding.fingerprint if self.finding else ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`title` says what was held against what; `notes` are said beside the entries."""

    title: str
    entries: Sequence[Entry]
    notes: Sequence[str] = ()

    @property
    def errors(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.level is Level.ERROR]


_ORDER = list(Level)


def sorted_entries(entries: Iterable[Entry]) -> list[Entry]:
    """Errors first, then by contract and place: the same findings give the same text."""
    return sorted(entries, key=lambda e: (_ORDER.index(e.level), e.contract, e.code, e.message, e.fingerprint))


def entry_of(finding: Finding, *, file: str, contract: str = "", law: str = "strict", remedy: str = "") -> Entry:
    """A finding as an entry; `remedy` says how to put right what blocks."""
    match verdict_of(finding, law):
        case Verdict.NOTICE:
            code, level = Code.CHANGE, Level.NOTE
        case Verdict.UNKNOWN:
            code, level = Code.UNKNOWN_CHANGE, Level.ERROR
        case Verdict.BREAKING:
            removed = finding.rule == "operation-removed" or _is_root_field(finding)
            code, level = Code.ENDPOINT_REMOVED if removed else Code.BREAKING_CHANGE, Level.ERROR
    return Entry(
        code=code, level=level, message=_placed(finding), file=file, contract=contract, finding=finding,
        remedy=remedy if level is Level.ERROR else "",
    )  # fmt: skip


def _placed(finding: Finding) -> str:
    """The message with its place before it, where it does not name the place itself."""
    place = " ".join(part for part in (finding.operation, finding.where) if part)
    return f"{place}: {finding.message}" if place and finding.operation not in finding.message else finding.message


def _is_root_field(finding: Finding) -> bool:
    owner = finding.operation.partition(".")[0]
    return finding.rule == "field-removed" and owner in ("Query", "Mutation", "Subscription")


def waive(entries: Iterable[Entry], waivers: Sequence[Waiver], *, file: str, today: date) -> list[Entry]:
    """The entries with what is waived marked, and one more for each waiver that is expired or of no use."""
    found = list(entries)
    failing = [entry.fingerprint for entry in found if entry.level is Level.ERROR and entry.finding]
    waived = apply_waivers(waivers, failing, today)
    marked = [
        msgspec.structs.replace(entry, level=Level.WAIVED, waiver=waived.good[entry.fingerprint])
        if entry.level is Level.ERROR and entry.fingerprint in waived.good
        else entry
        for entry in found
    ]
    for waiver in waived.expired:
        said = f"The waiver {waiver.fingerprint} of {waiver.owner} ended on {waiver.ends}: take it out of {file}."
        marked.append(Entry(code=Code.WAIVER_EXPIRED, level=Level.ERROR, message=said, file=file))
    for waiver in waived.unused:
        said = f"The waiver {waiver.fingerprint} of {waiver.owner} waives nothing: take it out of {file}."
        marked.append(Entry(code=Code.WAIVER_UNUSED, level=Level.ERROR, message=said, file=file))
    return marked
