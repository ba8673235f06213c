"""What a comparison says: one finding per cause, judged by direction, with a witness where one was found.

Shared by every kind of document, so that one report, one waiver file and one exit status serve them all.
"""

import hashlib
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec

#: Moves when a rule judges differently than before; a snapshot carries the one that it was judged under.
RULE_SET = 1


class Effect(StrEnum):
    """What a change does to the set of accepted values."""

    NONE = "none"
    WIDENS = "widens"
    NARROWS = "narrows"
    INCOMPARABLE = "incomparable"
    UNKNOWN = "unknown"


class Direction(StrEnum):
    """Who sends the value: the caller (request) or the server (response). `CONTRACT`: it is no value."""

    REQUEST = "request"
    RESPONSE = "response"
    CONTRACT = "contract"


class Category(StrEnum):
    """Who is hurt: any client on the wire, generated clients, or only those who were promised equality."""

    WIRE = "wire"
    SDK = "sdk"
    STRICT = "strict"


class Verdict(StrEnum):
    """`UNKNOWN` blocks like `BREAKING`, under its own name; `NOTICE` is said and never blocks."""

    BREAKING = "breaking"
    UNKNOWN = "unknown"
    NOTICE = "notice"


class Witness(msgspec.Struct, frozen=True):
    """A value that was valid and is not any more; `value` is JSON."""

    value: Any
    note: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One cause. `tolerant` is the verdict under the tolerant reader's law, where it differs."""

    rule: str
    verdict: Verdict
    category: Category
    direction: Direction
    effect: Effect
    #: `GET /people`, `Query.people`, or empty for the whole document.
    operation: str
    #: Where in the operation, in the contract's own terms: `response.200.body.people[].name`.
    where: str
    message: str
    before: Any = None
    after: Any = None
    tolerant: Verdict | None = None
    witness: Witness | None = None
    #: Where a shared part of the document changed (a JSON pointer); empty where the change is of one operation alone.
    cause: str = ""
    #: All operations that meet the cause, where they are several; `operation` is the first of them.
    operations: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that stay when the message is worded anew, or one more operation meets the same cause."""
        place = [str(self.direction), self.cause] if self.cause else [self.operation, self.where]
        parts = [self.rule, *place, self.before, self.after]
        try:
            text = msgspec.json.encode(parts, order="deterministic")
        except UnicodeEncodeError:
            # A lone surrogate, which JSON can escape and UTF-8 cannot carry.
            text = json.dumps(parts, sort_keys=True).encode()
        return hashlib.sha256(text).hexdigest()[:16]


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    """Those that must not pass unless waived."""
    return [finding for finding in findings if finding.verdict is not Verdict.NOTICE]
