"""Texts of answers in the charset that they say they are in."""

import codecs
import contextlib
import re

from app.egress import Answer

_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
#: Charsets of texts alone: Python knows other codecs by name, which do other things.
_KNOWN = re.compile(
    r"(?:utf-(?:8|16|32)(?:-[bl]e)?|iso8859-\d+|cp125\d|ascii|koi8-[ru]|shift_jis|euc_(?:jp|kr)|gbk|gb18030|big5)"
)


def in_utf8(answer: Answer, *, json: bool) -> bytes:
    """The body in UTF-8 without a byte order mark; as it is, where its charset is not known or it is not in it.

    JSON is in UTF-8, whatever is said of it (RFC 8259 section 8.1), unless it cannot be.
    """
    found = _CHARSET.search(answer.headers.get("Content-Type") or "")
    name = _codec(found[1]) if found is not None else "utf-8"
    body = answer.body
    if name not in ("utf-8", "ascii") and not (json and _is_utf8(body)):
        with contextlib.suppress(UnicodeError):
            body = body.decode(name).encode()
    return body.removeprefix(codecs.BOM_UTF8)


def _is_utf8(body: bytes) -> bool:
    if b"\x00" in body:
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _codec(charset: str) -> str:
    try:
        name = codecs.lookup(charset).name
    except LookupError:
        return "utf-8"
    return name if _KNOWN.fullmatch(name) else "utf-8"
