"""Installation keys: `dvt_<live|test>_<kid>_<secret><crc>`.

`kid` is 8 base62 characters and public; `secret` 32 base62 characters (190 bits); `crc` the CRC-32 of all
before it, 6 base62 characters, so that a mistyped key is known as such without a look-up and scanners can
tell a leaked key from noise. Stored is HMAC-SHA-256(pepper, key): with 190 bits of entropy a slow hash
would protect nothing and let anybody burn this server's CPU.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from typing import Literal

import msgspec

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY = re.compile(r"dvt_(?:live|test)_([0-9A-Za-z]{8})_[0-9A-Za-z]{38}")
#: For scanners: the same with word boundaries.
SCANNER_PATTERN = r"\bdvt_(?:live|test)_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}\b"
#: A longer header value is no key of ours and is not hashed.
LONGEST = 512

Mode = Literal["live", "test"]


class NewKey(msgspec.Struct, frozen=True):
    """A fresh key; `text` is shown once and never stored."""

    text: str
    kid: str


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def _random(width: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(width))


def checksum(body: str) -> str:
    """CRC-32 (ISO 3309) of the text as 6 base62 digits."""
    return _base62(zlib.crc32(body.encode()), 6)


def new_key(mode: Mode) -> NewKey:
    kid = _random(8)
    body = f"dvt_{mode}_{kid}_{_random(32)}"
    return NewKey(body + checksum(body), kid)


def new_kid() -> str:
    return _random(8)


def key_id(text: str) -> str | None:
    """The public key id of a well-formed key with a right checksum, else None."""
    match = KEY.fullmatch(text)
    if match is None or not hmac.compare_digest(checksum(text[:-6]), text[-6:]):
        return None
    return match[1]


class Peppers(msgspec.Struct, frozen=True):
    """The pepper ring: every pepper by its id, and the one that new keys are hashed with."""

    current: str
    ring: dict[str, bytes]

    def digest(self, text: str, pepper_id: str | None = None) -> str:
        """HMAC-SHA-256 in hex; KeyError where the pepper is not in the ring."""
        return hmac.new(self.ring[pepper_id or self.current], text.encode(), hashlib.sha256).hexdigest()


def legacy_digest(text: str) -> str:
    """SHA-256 in hex: how keys of the former system are stored, so that they can be taken over unread."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def matches(text: str, *, digest: str, algorithm: str, pepper_id: str | None, peppers: Peppers) -> bool:
    """Whether the key is the one whose digest is stored; constant time in the key."""
    if algorithm == "sha256":
        computed = legacy_digest(text)
    elif pepper_id in peppers.ring:
        computed = peppers.digest(text, pepper_id)
    else:
        return False
    return hmac.compare_digest(computed, digest)
