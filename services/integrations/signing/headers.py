"""The headers that carry a signature, read: Standard Webhooks, `t=…,v1=…`, and one value with a prefix.

Whoever sends may write anything here. What cannot be read is no signature, and never an exception.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Literal

_SECONDS = re.compile(r"[0-9]{1,12}")
_VERSION = "v1"
#: Senders that rotate send two; each one more is an HMAC compared for nothing.
MOST_SIGNATURES = 20


class Headers:
    """The headers of a request, by name in any case; one that was sent twice has no single value."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def one(self, name: str) -> str | None:
        """The value of a header that was sent once."""
        found = self._values.get(name.lower(), ())
        return found[0].strip() if len(found) == 1 else None

    def kept(self, names: Iterable[str], longest: int) -> Mapping[str, str]:
        """Those of these names that were sent, each cut."""
        found = ((name.lower(), self.one(name)) for name in names)
        return {name: value[:longest] for name, value in found if value is not None}


def seconds_of(text: str | None) -> int | None:
    """Seconds since the epoch, in ASCII digits alone."""
    return int(text) if text is not None and _SECONDS.fullmatch(text) else None


def standard_signatures(text: str) -> list[bytes]:
    """`v1,BASE64 v1,BASE64`: the signatures of this version; those of another are passed over."""
    pairs = (part.partition(",") for part in text.split(" ")[:MOST_SIGNATURES])
    return [raw for version, _, value in pairs if version == _VERSION and (raw := decoded(value, "base64"))]


def timestamped_parts(text: str, timestamp_field: str, signature_field: str) -> tuple[str | None, list[bytes]]:
    """`t=1492774577,v1=HEX,v1=HEX`: the timestamp, None unless there is exactly one, and the signatures."""
    pairs = [part.strip().partition("=") for part in text.split(",")[:MOST_SIGNATURES]]
    times = [value for name, _, value in pairs if name == timestamp_field]
    found = [raw for name, _, value in pairs if name == signature_field and (raw := decoded(value, "hex"))]
    return (times[0] if len(times) == 1 else None), found


def prefixed_signature(text: str, prefix: str, encoding: Literal["hex", "base64"]) -> list[bytes]:
    """`sha256=HEX`: the one signature, where the prefix is there."""
    raw = decoded(text[len(prefix) :], encoding) if text.startswith(prefix) else None
    return [raw] if raw else []


def decoded(text: str, encoding: Literal["hex", "base64"]) -> bytes | None:
    """The bytes of a signature; None for what is no such text."""
    try:
        return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
