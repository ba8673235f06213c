"""Secrets taken out of whatever an answer, an error or a log shows: as they are, and in the forms they travel in."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

MASK = "********"
#: A shorter text is found everywhere; to mask it would spoil what is shown, and hide nothing.
_SHORTEST = 6


class Redaction:
    """Knows the secrets of one call."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: list[str] = []
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Secrets that came to be known, a token for example."""
        forms = {form for text in secrets if len(text) >= _SHORTEST for form in _forms(text)}
        # The longest first: one secret may be part of another.
        self._forms = sorted({*self._forms, *forms}, key=len, reverse=True)

    def touches(self, raw: bytes) -> bool:
        """Whether JSON may hold a secret: as it is, or with characters escaped."""
        return bool(self._forms) and (b"\\" in raw or any(form.encode() in raw for form in self._forms))

    def raw(self, raw: bytes) -> bytes:
        for form in self._forms:
            raw = raw.replace(form.encode(), MASK.encode())
        return raw

    def text(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def value(self, value: Any) -> Any:
        """The same of every text in a JSON value, names of members too."""
        if not self._forms:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(inner) for name, inner in value.items()}
        return [self.value(inner) for inner in value] if isinstance(value, list) else value


def _forms(text: str) -> Iterable[str]:
    raw = text.encode()
    return (text, quote(text, safe=""), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode())
