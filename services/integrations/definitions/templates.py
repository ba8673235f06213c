"""Templates of paths, queries and headers: RFC 6570, simple expansion, and in a path `{+name}` for several segments.

`{+name}` keeps the slashes of its value and no other separator; `{#name}` and the other operators would write some, so
none is taken. What a parameter may not be either, `.` and `..`, is known when it is put in.
"""

import re
import unicodedata
from urllib.parse import unquote

import uritemplate

from services.integrations.definitions.faults import Fault

_BRACES = re.compile(r"\{([^{}]*)\}")
_VARIABLE = re.compile(r"([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)(?::[1-9][0-9]{0,3}|\*)?")
_OPERATORS = "+#./;?&=,!@|"
#: `{+name}`, and whether the path ends with it.
_REST = re.compile(r"(?<=/)\{\+([A-Za-z0-9_.]+)\}(/|$)")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_LONGEST_NAME = 500
#: Set by the connection itself, by the credentials, or by nobody.
_RESERVED_HEADERS = frozenset({
    "authorization", "connection", "content-length", "cookie", "expect", "host", "keep-alive", "proxy-authorization",
    "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip


def rest_of(path: str) -> dict[str, bool]:
    """The variables of a path that stand for several segments, each with whether the path ends with it."""
    return {match[1]: not match[2] for match in _REST.finditer(path)}


def may_be_absent(path: str, verb: str) -> frozenset[str]:
    """The variables that a call may leave out: the rest of a path that is read, which then is that of the collection.

    Not where something is changed: what is forgotten there must not become a change of everything.
    """
    return frozenset(name for name, last in rest_of(path).items() if last and verb in ("GET", "HEAD"))


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


def path_variables(text: str) -> list[str]:
    """The same of a path, where `{+name}` may be a whole segment. Raises Fault."""
    return variables_of(_REST.sub(r"{\1}\2", text))


def compile_path(text: str) -> uritemplate.URITemplate:
    """A path below the base URL. Raises Fault."""
    path_variables(text)
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


def check_query_name(name: str) -> None:
    """The name of a query parameter; what a URL cannot hold is percent-encoded. Raises Fault."""
    if not name or len(name) > _LONGEST_NAME or any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        raise Fault(f"is no parameter name: 1 to {_LONGEST_NAME} characters, none of them a control character")


def check_header(name: str, text: str) -> None:
    """A header's name (RFC 9110 section 5.1) and the template of its value. Raises Fault."""
    if _HEADER_NAME.fullmatch(name) is None:
        raise Fault("is no header name")
    if name.lower() in _RESERVED_HEADERS or name.lower().startswith(("proxy-", "sec-")):
        raise Fault("is not for a definition to set")
    variables_of(text)
    if any(char != "\t" and not " " <= char <= "~" for char in text):
        raise Fault("must be printable ASCII")
