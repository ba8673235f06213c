"""An authorization server for the demo (RFC 6749 section 4.1, with PKCE): one user, who is asked and always there.

What it gives out carries a key that all processes of one server share, so that each of them takes what another gave.
A process remembers what was used up; all is good for the demo's own upstream alone, until the server ends.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from html import escape
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from app import base64url
from services.integrations.oauth2.landing import PATH as LANDING

CLIENT_ID = "demo"
SECONDS = 3_600
_HERE = ("localhost", "127.0.0.1")
_MOST, _MOST_BYTES = 100, 65_536
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Demo login</title></head>
<body><main><h1>Demo login</h1><p>The demo of Dovetail asks to act in the name of Ada.</p>
<p><a href="{yes}">Allow</a> or <a href="{no}">deny</a></p></main></body>
</html>
"""
_CLOSED = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class Reply(NamedTuple):
    status: int
    kind: str
    body: bytes


class Login:
    """Codes and tokens by one key. Of those that are good once, each process knows the latest it took."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._used: OrderedDict[str, None] = OrderedDict()

    def authorize(self, query: bytes) -> Reply:
        """The page that asks; it leads back with a code, or with `access_denied`."""
        given = dict(parse_qsl(query.decode("latin-1")))
        back = urlsplit(given.get("redirect_uri", ""))
        if given.get("client_id") != CLIENT_ID or back.hostname not in _HERE or back.path != LANDING:
            return _told(400, "invalid_request")
        if given.get("response_type") != "code" or given.get("code_challenge_method") != "S256":
            return _told(400, "unsupported_response_type")
        code = self._given("code", {name: given.get(name, "") for name in ("redirect_uri", "code_challenge")})
        state = {"state": given.get("state", "")}
        yes, no = (f"{given['redirect_uri']}?{urlencode(state | more)}" for more in ({"code": code}, _DENIED))
        return Reply(200, "text/html; charset=utf-8", _PAGE.format(yes=escape(yes), no=escape(no)).encode())

    def token(self, body: bytes) -> Reply:
        """A token for a code, or for an earlier refresh token; each is good once."""
        form = dict(parse_qsl(body.decode("latin-1")))
        if form.get("grant_type") == "authorization_code":
            begun = self._taken("code", form.get("code", ""))
            challenge = base64url.encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            asked = {"redirect_uri": form.get("redirect_uri"), "code_challenge": challenge}
            good = begun == asked
        else:
            good = self._taken("refresh", form.get("refresh_token", "")) is not None
        if not good or form.get("client_id") != CLIENT_ID:
            return _told(400, "invalid_grant")
        given = {"access_token": self._given("access", {}), "refresh_token": self._given("refresh", {})}
        return _json(200, given | {"token_type": "Bearer", "expires_in": SECONDS})

    def account(self, authorization: str) -> Reply:
        """Whose token it is."""
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or self._read("access", token) is None:
            return _told(401, "invalid_token")
        return _json(200, {"id": "ada", "name": "Ada Lovelace"})

    def _given(self, kind: str, says: dict[str, str]) -> str:
        body = base64url.encode(msgspec.json.encode([kind, secrets.token_urlsafe(24), says]))
        return f"{body}.{self._mac(body)}"

    def _read(self, kind: str, text: str) -> dict[str, str] | None:
        """What a text of this kind says; None where it was not given out here."""
        body, _, mac = text.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(body).encode()):
            return None
        found, _, says = msgspec.json.decode(base64url.decode(body), type=tuple[str, str, dict[str, str]])
        return says if found == kind else None

    def _taken(self, kind: str, text: str) -> dict[str, str] | None:
        """The same, once."""
        says = None if text in self._used else self._read(kind, text)
        if says is not None:
            self._used[text] = None
            while len(self._used) > _MOST:
                self._used.popitem(last=False)
        return says

    def _mac(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest()


_DENIED = {"error": "access_denied"}


def _told(status: int, error: str) -> Reply:
    return _json(status, {"error": error})


def _json(status: int, value: Any) -> Reply:
    return Reply(status, "application/json", msgspec.json.encode(value))


async def answer_login(login: Login, scope: Any, receive: Any, path: str) -> Reply:
    """A request below the upstream's `/login`."""
    if (scope["method"], path) == ("GET", "/login/authorize"):
        return login.authorize(scope["query_string"])
    if (scope["method"], path) == ("POST", "/login/token"):
        return login.token(await _body(receive))
    if (scope["method"], path) == ("GET", "/login/account"):
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        return login.account(headers.get(b"authorization", ""))
    return _told(404, "not_found")


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more and len(body) <= _MOST_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def headers_of(reply: Reply) -> list[tuple[bytes, bytes]]:
    """No script, no frame, and nothing that is kept."""
    return [
        (b"content-type", reply.kind.encode()), (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"), _CLOSED,
    ]  # fmt: skip
