"""Secrets taken out of whatever an answer, an error or a log shows: as they are, and in the forms they travel in."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

MASK = "********"
#: A shorter text is found everywhere; to mask it would spoil what is shown, and hide nothing.
_SHORTEST = 6
#: A text of these characters (RFC 3986 section 2.3) is the same in a URL, in JSON and in HTML.
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*", re.ASCII)
#: What some leave as it is in a URL, and others encode: nothing, what a path takes, what a query takes.
_LEFT_IN_URLS = ("", "/", "/?:@!$'()*,;")
_ENCODED = re.compile(r"%[0-9A-F]{2}")


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


def _forms(text: str) -> Iterator[str]:
    raw = text.encode()
    yield from (text, base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("="))
    if not _UNRESERVED.fullmatch(text):
        yield from _in_urls(text)
        yield from _in_texts(text)


def _in_urls(text: str) -> Iterator[str]:
    for left in _LEFT_IN_URLS:
        quoted = quote(text, safe=left)
        for one in (quoted, _ENCODED.sub(lambda found: found[0].lower(), quoted)):
            yield from (one, one.replace("%20", "+"))


def _in_texts(text: str) -> Iterator[str]:
    """Written into JSON within a text, with and without what some writers escape beyond need, and into HTML."""
    for escaped in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield from (escaped, escaped.replace("/", "\\/"))
    yield from (html.escape(text), html.escape(text, quote=False))
