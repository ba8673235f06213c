"""Challenges, read and answered: whether a request is one, what it shows, and the text that goes back.

The text is anybody's: it is short, printable, and answered as nothing that a browser would run.
"""

import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from app.errors import DomainError, ValidationFailed
from services.integrations.definitions.challenges import Challenge, Proof
from services.integrations.definitions.compiling import CompiledChallenge
from services.integrations.signing.headers import Headers
from services.integrations.webhooks.payloads import read_payload

MOST_CHARACTERS = 1_024
#: For each instance; a sender asks once.
CHALLENGES_PER_MINUTE = 60
#: What is read before anybody has shown anything.
_MOST_BYTES, _MOST_PARAMETERS = 65_536, 100


class Answered(NamedTuple):
    """The text that a sender wants back; under `member` of a JSON object where that is named."""

    text: str
    member: str | None


def read_query(raw: bytes) -> dict[str, str]:
    """The parameters that were sent once; none where the query cannot be read."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return {}
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


def read_asked(compiled: CompiledChallenge, headers: Headers, query: Mapping[str, str], body: bytes) -> "Asking | None":
    """The challenge that a request is; None where it is none. What cannot be read is not there."""
    try:
        found = read_payload(headers.one("content-type") or "", body) if len(body) <= _MOST_BYTES else None
    except DomainError:
        found = None
    whole = {"query": dict(query), "body": found}
    text = _at(compiled.challenge.value.query, compiled.value, whole)
    if text is None or (compiled.when is not None and _searched(compiled.when, whole) is not True):
        return None
    place = compiled.challenge.token
    return Asking(compiled.challenge, text, None if place is None else _at(place.query, compiled.token, whole))


class Asking(NamedTuple):
    """A challenge as it came; `shown` is the text by which its sender is to be known."""

    challenge: Challenge
    text: str
    shown: str | None

    @property
    def proof(self) -> Proof:
        return self.challenge.proof

    def shows(self, tokens: list[str]) -> bool:
        """Whether it shows one of these; each is compared, in a time that does not tell where they differ."""
        if self.shown is None:
            return False
        given = self.shown.encode("utf-8", "surrogatepass")
        same = [hmac.compare_digest(given, token.encode("utf-8", "surrogatepass")) for token in tokens]
        return any(same)

    def answer(self) -> Answered:
        """Raises ValidationFailed for a text that is not sent back."""
        if not 0 < len(self.text) <= MOST_CHARACTERS or not self.text.isprintable():
            raise ValidationFailed({"challenge": f"must be 1 to {MOST_CHARACTERS} printable characters"})
        return Answered(self.text, self.challenge.member)


def _at(parameter: str | None, expression: Any, whole: Mapping[str, Any]) -> str | None:
    value = whole["query"].get(parameter) if parameter is not None else _searched(expression, whole["body"])
    return value if isinstance(value, str) else None


def _searched(expression: Any, value: Any) -> Any:
    try:
        return expression.search(value)
    except Exception:  # noqa: BLE001 - whatever the author's expression does to the sender's text
        return None
