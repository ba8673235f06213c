"""The ways in which the owner of an origin proves it: one table of small checks.

A check never raises for what it finds outside: a site that is down, refuses or lies is a proof that was
not found, with the reason in words for the owner.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
from yarl import URL

from app.egress import Answer, EgressError
from app.errors import ValidationFailed
from services.origins.meta_tags import meta_contents

CHALLENGE_LABEL = "_dovetail-challenge"
WELL_KNOWN_PATH = "/.well-known/dovetail-verification.txt"
META_NAME = "dovetail-verification"
MAX_SEEN = 200
_TIMEOUT_SECONDS = 5
_MAX_BYTES = 65_536
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})


class Proof(msgspec.Struct, frozen=True):
    """What a check found. `seen` is at most 200 characters of it, without control characters."""

    found: bool
    reason: str
    expected: str
    seen: str | None = None


class Outbound(Protocol):
    """The part of `app.egress.Egress` that a check needs."""

    async def get(self, url: str, *, timeout_seconds: float = 5, max_bytes: int = 65_536) -> Answer: ...

    async def txt(self, name: str, *, timeout_seconds: float = 5) -> list[str]: ...


Check = Callable[[Outbound, str, str, str | None], Awaitable[Proof]]


async def dns_txt(egress: Outbound, origin: str, token: str, path: str | None = None) -> Proof:
    """A TXT record at `_dovetail-challenge.<host>` that holds `token=<token>`, alone or among other words."""
    name = challenge_name(origin)
    expected = f"token={token}"
    try:
        records = await egress.txt(name, timeout_seconds=_TIMEOUT_SECONDS)
    except EgressError as error:
        return Proof(False, str(error), expected)
    if any(_same(word, expected) for record in records for word in re.split(r"[\s;,]+", record)):
        return Proof(True, f"The TXT record was found at {name}.", expected, expected)
    if not records:
        return Proof(False, f"There is no TXT record at {name}.", expected)
    return Proof(False, f"No TXT record at {name} holds the token.", expected, _shown(" | ".join(records)))


async def well_known_file(egress: Outbound, origin: str, token: str, path: str | None = None) -> Proof:
    """The token, and nothing else but white space around it, at the well-known path."""
    answer = await _fetch(egress, origin + WELL_KNOWN_PATH, token)
    if isinstance(answer, Proof):
        return answer
    body = _text(answer).strip()
    if _same(body, token):
        return Proof(True, f"The token was found at {WELL_KNOWN_PATH}.", token, token)
    return Proof(False, f"{WELL_KNOWN_PATH} holds something else than the token.", token, _shown(body))


async def meta_tag(egress: Outbound, origin: str, token: str, path: str | None = None) -> Proof:
    """A meta tag with the token in the head of the page at `/`."""
    expected = _meta(token)
    answer = await _fetch(egress, f"{origin}/", expected)
    if isinstance(answer, Proof):
        return answer
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in _PAGE_TYPES:
        return Proof(False, "The page at / is not HTML.", expected, _shown(kind) or None)
    contents = meta_contents(_text(answer), META_NAME)
    if any(_same(content, token) for content in contents):
        return Proof(True, "The meta tag was found in the head of /.", expected, expected)
    if not contents:
        return Proof(False, f"The head of / has no meta tag called {META_NAME}.", expected)
    return Proof(False, "The meta tag in the head of / holds another token.", expected, _shown(" | ".join(contents)))


async def callback(egress: Outbound, origin: str, token: str, path: str | None = None) -> Proof:
    """The site answers a fresh challenge with its HMAC-SHA-256 under the token, in hex."""
    target = check_path(path)
    nonce = secrets.token_hex(16)
    expected = hmac.new(token.encode(), nonce.encode(), hashlib.sha256).hexdigest()
    answer = await _fetch(egress, f"{origin}{target}?challenge={nonce}", expected)
    if isinstance(answer, Proof):
        return answer
    body = _text(answer).strip()
    if _same(body.lower(), expected):
        return Proof(True, f"{target} answered the challenge.", expected, expected)
    return Proof(False, f"{target} did not answer the challenge with its HMAC.", expected, _shown(body))


METHODS: dict[str, Check] = {
    "dns_txt": dns_txt,
    "well_known_file": well_known_file,
    "meta_tag": meta_tag,
    "callback": callback,
}


def check_method(method: str) -> Check:
    """The check of a method. Raises ValidationFailed on `method`."""
    if method not in METHODS:
        raise ValidationFailed({"method": f"must be one of {', '.join(METHODS)}"})
    return METHODS[method]


def check_path(path: str | None) -> str:
    """A path that a callback may have: from "/", printable ASCII. Raises ValidationFailed on `path`."""
    if not path or not path.startswith("/"):
        raise ValidationFailed({"path": 'must be the path that answers the challenge, from its first "/"'})
    if len(path) > 1_024 or not re.fullmatch(r"[!-~]+", path) or re.search(r'[?#\\"<>]', path):
        raise ValidationFailed({"path": "must be at most 1024 printable ASCII characters without ? # or backslash"})
    return path


def challenge_name(origin: str) -> str:
    return f"{CHALLENGE_LABEL}.{URL(origin).raw_host}"


def instructions(method: str, origin: str, token: str, path: str | None = None) -> dict[str, str]:
    """What the owner publishes and where: `{method, where, value, text}`, all plain text.

    Raises ValidationFailed for an unknown method, or for a callback without a good path.
    """
    check_method(method)
    where, value, text = {
        "dns_txt": _publish_dns,
        "well_known_file": _publish_file,
        "meta_tag": _publish_meta,
        "callback": _publish_callback,
    }[method](origin, token, path)
    return {"method": method, "where": where, "value": value, "text": text}


def _publish_dns(origin: str, token: str, path: str | None) -> tuple[str, str, str]:
    name, value = challenge_name(origin), f"token={token}"
    return name, value, f"Add a TXT record with the name {name} and the value {value} to your DNS zone."


def _publish_file(origin: str, token: str, path: str | None) -> tuple[str, str, str]:
    where = origin + WELL_KNOWN_PATH
    return where, token, f"Put a text file at {where} that holds the token and nothing else: {token}"


def _publish_meta(origin: str, token: str, path: str | None) -> tuple[str, str, str]:
    return f"{origin}/", _meta(token), f"Put this tag inside <head> of the page {origin}/: {_meta(token)}"


def _publish_callback(origin: str, token: str, path: str | None) -> tuple[str, str, str]:
    where = f"{origin}{check_path(path)}?challenge=NONCE"
    value = "HMAC-SHA-256(token, NONCE) in hex"
    return where, value, (
        f"Answer GET {where} with status 200 and, as its whole body, the HMAC-SHA-256 of the value of "
        f"`challenge` in hex, with this token as the key: {token}"
    )  # fmt: skip


def _meta(token: str) -> str:
    return f'<meta name="{META_NAME}" content="{token}">'


async def _fetch(egress: Outbound, url: str, expected: str) -> Answer | Proof:
    """The answer when it is a 200; otherwise the proof that was not found."""
    try:
        answer = await egress.get(url, timeout_seconds=_TIMEOUT_SECONDS, max_bytes=_MAX_BYTES)
    except EgressError as error:
        return Proof(False, str(error), expected)
    if answer.status != 200:
        reason = f"{URL(url).path} answered with status {answer.status}, not 200."
        return Proof(False, reason, expected, _shown(_text(answer)) or None)
    return answer


def _text(answer: Answer) -> str:
    return answer.body.decode("utf-8", "replace").removeprefix("\ufeff")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _shown(text: str) -> str:
    """A piece of what somebody else wrote that is safe to store and to show."""
    plain = re.sub(r"\s+", " ", text[: 10 * MAX_SEEN]).strip()
    return "".join(char for char in plain if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co"))[:MAX_SEEN]
