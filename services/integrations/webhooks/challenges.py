"""Challenges, read and answered: whether a request is one, what it shows, and the text that goes back.

The text is anybody's: it is short, printable, and answered as nothing that a browser would run.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from app.errors import DomainError, MalformedBody, ValidationFailed
from services.integrations.definitions.challenges import Challenge, ChallengeHmac, ChallengeSource, Proof
from services.integrations.definitions.compiling import CompiledChallenge, CompiledWebhook
from services.integrations.signing.headers import Headers
from services.integrations.webhooks.payloads import read_payload

MOST_CHARACTERS = 1_024
#: For each instance; a sender asks once.
CHALLENGES_PER_MINUTE = 60
#: What is read before anybody has shown anything.
_MOST_BYTES, _MOST_PARAMETERS = 65_536, 100
#: As senders make tokens: base64 in each alphabet, hexadecimal, UUIDs. No webhook can be written with it.
_SIGNABLE = re.compile(r"[A-Za-z0-9._~+/=:-]+")
_VARIABLE = re.compile(r"\{(?:value|hmac)\}")


class Answered(NamedTuple):
    """The text that a sender wants back; where there are `members`, they are sent, as a JSON object."""

    text: str
    members: Mapping[str, str] | None = None


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
    text = _at(compiled.challenge.value, compiled.value, headers, whole)
    if text is None or (compiled.when is not None and _searched(compiled.when, whole) is not True):
        return None
    place = compiled.challenge.token
    return Asking(compiled.challenge, text, None if place is None else _at(place, compiled.token, headers, whole))


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

    def check(self) -> None:
        """Raises ValidationFailed for a text that is not sent back, or not signed."""
        if not 0 < len(self.text) <= MOST_CHARACTERS or not self.text.isprintable():
            raise ValidationFailed({"challenge": f"must be 1 to {MOST_CHARACTERS} printable characters"})
        if self.challenge.hmac is not None and _SIGNABLE.fullmatch(self.text) is None:
            raise ValidationFailed({"challenge": "must be letters, digits and -._~+/=: alone, to be signed"})

    def answer(self, key: bytes | None = None) -> Answered:
        """The answer, signed with this key where the definition wants that. Raises ValidationFailed."""
        self.check()
        challenge = self.challenge
        if challenge.member is not None:
            return Answered(self.text, {challenge.member: self.text})
        if challenge.members is None:
            return Answered(self.text)
        texts = {"{value}": self.text} | ({} if challenge.hmac is None else {"{hmac}": self._hmac(challenge.hmac, key)})
        # In one pass: what the sender wrote is never read as a variable.
        members = {name: _VARIABLE.sub(lambda found: texts[found[0]], text) for name, text in challenge.members.items()}
        return Answered(self.text, members)

    def _hmac(self, how: ChallengeHmac, key: bytes | None) -> str:
        assert key is not None
        made = hmac.digest(key, self.text.encode(), how.algorithm.replace("-", "").lower())
        return made.hex() if how.encoding == "hex" else base64.b64encode(made).decode()


def check_signable(compiled: CompiledWebhook, payload: Any) -> None:
    """Raise MalformedBody for a bare value, where challenges are signed with the secret of webhooks.

    Whoever asks has chosen what is signed then. It has neither brace nor bracket, and a webhook has one: no signature
    of the one is a signature of the other, whatever else the sender signs.
    """
    challenge = None if compiled.challenge is None else compiled.challenge.challenge
    if challenge is not None and challenge.hmac is not None and not isinstance(payload, dict | list):
        raise MalformedBody("The body must be a JSON object or array.")


def _at(place: ChallengeSource, expression: Any, headers: Headers, whole: Mapping[str, Any]) -> str | None:
    if place.query is not None:
        value = whole["query"].get(place.query)
    else:
        value = headers.one(place.header) if place.header is not None else _searched(expression, whole["body"])
    return value if isinstance(value, str) else None


def _searched(expression: Any, value: Any) -> Any:
    try:
        return expression.search(value)
    except Exception:  # noqa: BLE001 - whatever the author's expression does to the sender's text
        return None
