"""Which URLs are called, and which redirects are followed."""

import re
from collections.abc import Callable

from yarl import URL

from app.egress.errors import EgressRefused


def parse_url(text: str) -> URL:
    """A URL that may be called. Raises EgressRefused (`url`, `scheme`, `userinfo`)."""
    if any(not "!" <= char <= "~" and not char.isalnum() for char in text) or "\\" in text:
        raise EgressRefused("url", "")
    try:
        url = URL(text)
        host = url.raw_host
        port = url.port
    except ValueError:
        raise EgressRefused("url", "") from None
    _check(url)
    # An empty user name before the @ is gone from the parsed URL.
    if "@" in re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]:
        raise EgressRefused("userinfo", host or "")
    if not host or port is None:
        raise EgressRefused("url", host or "")
    return url


def _check(url: URL) -> None:
    host = url.raw_host or ""
    if url.scheme not in ("http", "https"):
        raise EgressRefused("scheme", host)
    if url.raw_user is not None or url.raw_password is not None or "@" in url.raw_authority:
        raise EgressRefused("userinfo", host)


def redirected(url: URL, location: str) -> URL:
    """Where `location` leads from `url`. Raises EgressRefused when that is another origin or a weaker scheme.

    From http to https of the same host the port may change; otherwise it is part of the origin.
    """
    host = url.raw_host or ""
    try:
        target = url.join(URL(location.strip()))
        _check(target)
        same = (target.raw_host or "").rstrip(".") == host.rstrip(".")
    except (ValueError, EgressRefused):
        raise EgressRefused("redirect_target", host) from None
    if not same:
        raise EgressRefused("redirect_host", host)
    if url.scheme == "https" and target.scheme == "http":
        raise EgressRefused("redirect_downgrade", host)
    if url.scheme == target.scheme and url.port != target.port:
        raise EgressRefused("redirect_host", host)
    return target


def followed(url: URL, location: str, may_call: Callable[[str], bool]) -> URL:
    """Where `location` leads from `url`, at any host that may be called. Raises EgressRefused."""
    host = url.raw_host or ""
    try:
        target = url.join(URL(location.strip()))
        _check(target)
    except (ValueError, EgressRefused):
        raise EgressRefused("redirect_target", host) from None
    if not may_call(target.raw_host or ""):
        raise EgressRefused("redirect_host", host)
    if url.scheme == "https" and target.scheme == "http":
        raise EgressRefused("redirect_downgrade", host)
    return target
