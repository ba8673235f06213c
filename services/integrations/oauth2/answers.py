"""What a token endpoint answers (RFC 6749 sections 5.1 and 5.2), read with care: somebody else wrote it."""

import re
from collections.abc import Collection, Mapping
from typing import Any, TypeGuard
from urllib.parse import parse_qsl

import msgspec

from app.clock import DAY, SECOND
from app.egress import Answer

#: What the endpoint itself calls passing (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5).
_PASSING = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_CODE = re.compile(r"[a-z][a-z0-9_]{2,39}")
_MOST_TOKEN = 16_384
_LONGEST_LIFE = 3_650 * DAY
UNNAMED = "an error without a code"


class Granted(msgspec.Struct, frozen=True):
    """A token and what came with it; `lifetime` in ms, None where the answer does not say."""

    access_token: str
    refresh_token: str | None
    lifetime: int | None
    scope: str | None


class TokenRefused(Exception):
    """The endpoint refuses for good; `code` is the error code, safe to show."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class TokenUnanswered(Exception):
    """No answer, or none that decides anything; another try may succeed. The message is safe to show."""


def read_grant(answer: Answer, sent: Collection[str]) -> Granted:
    """The token of an answer. Raises TokenRefused and TokenUnanswered; `sent` are secrets that must not be shown."""
    if answer.status in (408, 425, 429) or answer.status >= 500 or 300 <= answer.status < 400:
        raise TokenUnanswered(f"The token endpoint answered with the status {answer.status}.")
    found = _members(answer)
    error = found.get("error")
    # Some servers refuse with the status 200.
    if error is not None or answer.status >= 400:
        raise _refusal(answer.status, error, sent)
    return _granted(found)


def error_code(text: object, sent: Collection[str] = ()) -> str:
    """An error code as it may be shown; what looks like none, or repeats a secret, has no name here."""
    if not isinstance(text, str) or _CODE.fullmatch(text) is None:
        return UNNAMED
    repeats = any(text in secret or (secret in text and len(secret) > 3) for secret in sent)
    return UNNAMED if repeats else text


def _refusal(status: int, error: object, sent: Collection[str]) -> Exception:
    if isinstance(error, str) and error in _PASSING:
        return TokenUnanswered(f"The token endpoint answered {error}.")
    if error is None and status != 401:
        # A proxy or a wrong address says such things; they decide nothing about the connection.
        return TokenUnanswered(f"The token endpoint answered with the status {status} and no error code.")
    return TokenRefused("invalid_client" if error is None else error_code(error, sent))


def _members(answer: Answer) -> Mapping[str, Any]:
    kind = (answer.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(answer.body.decode(), max_num_fields=100))
        found = msgspec.json.decode(answer.body)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _granted(found: Mapping[str, Any]) -> Granted:
    token, kind = found.get("access_token"), found.get("token_type", "bearer")
    if not is_token(token):
        raise TokenUnanswered("The token endpoint answered without an access token.")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenUnanswered("The token endpoint gives tokens of another type than Bearer.")
    refresh, scope = found.get("refresh_token"), found.get("scope")
    return Granted(
        token,
        refresh if is_token(refresh) else None,
        lifetime_of(found.get("expires_in")),
        scope[:2_000] if isinstance(scope, str) else None,
    )


def is_token(value: object) -> TypeGuard[str]:
    """VSCHAR of RFC 6749 appendix A.12, so that it can stand in a header."""
    return isinstance(value, str) and 0 < len(value) <= _MOST_TOKEN and all(" " <= char <= "~" for char in value)


def lifetime_of(seconds: object) -> int | None:
    """Seconds as milliseconds; None for what is no span of time."""
    if isinstance(seconds, str) and seconds.isascii() and seconds[:12].isdigit():
        seconds = int(seconds[:12])
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < _LONGEST_LIFE:
        return None
    return int(seconds * SECOND)
