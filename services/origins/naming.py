"""One spelling for every web origin (RFC 6454 section 6.2, with the host as UTS #46 maps it)."""

import ipaddress
import re
import unicodedata

import idna

from app.errors import ValidationFailed

_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"https": 443, "http": 80}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_MAX_TEXT = 2_048
_MAX_HOST = 253
_EXAMPLE = "write it like https://www.example.org"


def normalise_origin(text: str) -> str:
    """The origin `scheme://host[:port]` that `text` names: lower case, punycode, no default port.

    https only; http for `localhost`, `127.0.0.1` and `[::1]`. Raises ValidationFailed on `origin`.
    """
    scheme, authority = _split(text)
    host, port = _host_and_port(authority)
    name = _literal(host, scheme) if host.startswith("[") else _name(host, scheme)
    if scheme == "http" and name not in _LOOPBACK:
        raise _invalid("must begin with https://; http is only for localhost")
    return f"{scheme}://{name}" if port in (None, _PORTS[scheme]) else f"{scheme}://{name}:{port}"


def _invalid(rule: str) -> ValidationFailed:
    return ValidationFailed({"origin": rule})


def _split(text: object) -> tuple[str, str]:
    """Scheme and authority of something that is nothing more than an origin."""
    if not isinstance(text, str) or not text.strip(" "):
        raise _invalid(f"must not be empty; {_EXAMPLE}")
    trimmed = text.strip(" ")
    if len(trimmed) > _MAX_TEXT:
        raise _invalid(f"must be at most {_MAX_TEXT} characters")
    if any(unicodedata.category(char) in ("Cc", "Cs") or char.isspace() for char in trimmed):
        raise _invalid("must not hold spaces or control characters")
    if trimmed.lower() == "null":
        raise _invalid(f'"null" names no origin; {_EXAMPLE}')
    shape = _SHAPE.fullmatch(trimmed)
    if shape is None:
        raise _invalid(f"must be scheme://host; {_EXAMPLE}")
    scheme, authority, rest = shape[1].lower(), shape[2], shape[3]
    if scheme not in _PORTS:
        raise _invalid(f"must begin with https://, not {scheme[:20]}://")
    _check_rest(rest)
    return scheme, authority


def _check_rest(rest: str) -> None:
    if "?" in rest:
        raise _invalid("must not have a query; leave out everything from the ?")
    if "#" in rest:
        raise _invalid("must not have a fragment; leave out everything from the #")
    if rest not in ("", "/"):
        raise _invalid("must not have a path; leave out everything after the host")


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise _invalid("must not have a user name or password; leave out everything before the @")
    if "*" in authority:
        raise _invalid("must not be a wildcard; register each host by itself")
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return _present(authority), None
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= 65_535):
        raise _invalid("must have a port from 1 to 65535, or none")
    return _present(host), int(port)


def _present(host: str) -> str:
    if not host:
        raise _invalid(f"must have a host; {_EXAMPLE}")
    return host


def _literal(host: str, scheme: str) -> str:
    try:
        address = ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]") if host.endswith("]") else "")
    except ValueError:
        raise _invalid("must have a host name; what stands in brackets is no address") from None
    return _loopback(f"[{address.compressed}]", scheme)


def _loopback(literal: str, scheme: str) -> str:
    if scheme == "http" and literal in _LOOPBACK:
        return literal
    raise _invalid("must have a host name, not an IP address; 127.0.0.1 and [::1] are for http only")


def _name(host: str, scheme: str) -> str:
    ascii_host = _to_ascii(host).removesuffix(".")
    if len(ascii_host) > _MAX_HOST:
        raise _invalid(f"must have a host of at most {_MAX_HOST} characters")
    labels = ascii_host.split(".")
    if not all(labels):
        raise _invalid("must not have an empty part between the dots of its host")
    # Whatever ends in a number is read as an IPv4 address by browsers (WHATWG URL, "ends in a number").
    if _NUMERIC.fullmatch(labels[-1]):
        return _loopback(ascii_host, scheme)
    for label in labels:
        if not _LABEL.fullmatch(label) or (label.startswith("xn--") and not _is_punycode(label)):
            raise _invalid("must have a host of letters, digits and inner hyphens, 63 to a part at most")
    return ascii_host


def _is_punycode(label: str) -> bool:
    try:
        return idna.encode(idna.decode(label)) == label.encode("ascii")
    except (idna.IDNAError, UnicodeError):
        return False


def _to_ascii(host: str) -> str:
    if host.isascii():
        return host.lower()
    try:
        mapped = idna.uts46_remap(host, std3_rules=True, transitional=False)
        return mapped if mapped.isascii() else _encode(mapped)
    except (idna.IDNAError, UnicodeError):
        raise _invalid("must have a host of characters that domain names can have") from None


def _encode(mapped: str) -> str:
    dot = "." if mapped.endswith(".") else ""
    if not all(mapped.removesuffix(".").split(".")):
        raise _invalid("must not have an empty part between the dots of its host")
    return idna.encode(mapped).decode("ascii").removesuffix(".") + dot
