"""Templates of paths, queries and headers: RFC 6570, simple expansion alone.

`{+name}` and `{#name}` would let a parameter write slashes and question marks into the path, and the other operators
write separators; so none is taken. What a parameter may not be either, `.` and `..`, is known when it is put in.
"""

import re
from urllib.parse import unquote

import uritemplate

from services.integrations.definitions.faults import Fault

_BRACES = re.compile(r"\{([^{}]*)\}")
_VARIABLE = re.compile(r"([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)(?::[1-9][0-9]{0,3}|\*)?")
_OPERATORS = "+#./;?&=,!@|"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
#: Set by the connection itself, by the credentials, or by nobody.
_RESERVED_HEADERS = frozenset({
    "authorization", "connection", "content-length", "cookie", "expect", "host", "keep-alive", "proxy-authorization",
    "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip


def variables_of(text: str) -> list[str]:
    """The names of the variables, in order. Raises Fault."""
    bare = _BRACES.sub("", text)
    if "{" in bare or "}" in bare:
        raise Fault("has a brace that opens or closes nothing")
    return [name for inner in _BRACES.findall(text) for name in _names(inner)]


def _names(inner: str) -> list[str]:
    if not inner:
        raise Fault("has an empty {}")
    if inner[0] in _OPERATORS:
        raise Fault(f"has {{{inner[:40]}}}: only simple expansion as in {{name}} is taken")
    found = [_VARIABLE.fullmatch(part) for part in inner.split(",")]
    if not all(found):
        raise Fault(f"has {{{inner[:40]}}}, whose names are not of letters, digits, _ and single dots (RFC 6570)")
    return [match[1] for match in found if match]


def compile_path(text: str) -> uritemplate.URITemplate:
    """A path below the base URL. Raises Fault."""
    variables_of(text)
    bare = _BRACES.sub("x", text)
    if not text.startswith("/") or text.startswith("//"):
        raise Fault("must begin with one slash")
    if any(not "!" <= char <= "~" for char in bare) or any(char in bare for char in '?#\\"<>^`|'):
        raise Fault("must be a path of printable ASCII without ? and #; the query has a place of its own")
    if any(unquote(segment) in (".", "..") for segment in bare.split("/")):
        raise Fault("must not have a segment . or ..")
    return uritemplate.URITemplate(text)


def compile_query(text: str) -> uritemplate.URITemplate:
    """The value of a query parameter. Raises Fault."""
    variables_of(text)
    return uritemplate.URITemplate(text)


def check_header(name: str, text: str) -> None:
    """A header's name (RFC 9110 section 5.1) and the template of its value. Raises Fault."""
    if _HEADER_NAME.fullmatch(name) is None:
        raise Fault("is no header name")
    if name.lower() in _RESERVED_HEADERS or name.lower().startswith(("proxy-", "sec-")):
        raise Fault("is not for a definition to set")
    variables_of(text)
    if any(char != "\t" and not " " <= char <= "~" for char in text):
        raise Fault("must be printable ASCII")
