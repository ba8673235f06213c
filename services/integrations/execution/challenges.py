"""What a registry asks for with 401, and the token that answers it.

`WWW-Authenticate` (RFC 9110 section 11.6.1) says `Basic`, or `Bearer realm="…",service="…",scope="…"`: then the realm
gives a token for that scope, to who proves a name and password or, where it may, to anybody. Source: CNCF Distribution,
token authentication specification; every public registry speaks it.
"""

import re
from collections.abc import Callable, Collection
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from app.egress import Answer, Call, EgressError, EgressFailed, EgressRefused
from app.errors import (
    DomainError,
    ExecutionFailed,
    IntegrationAuthFailed,
    IntegrationFailed,
    IntegrationRateLimited,
    IntegrationTimeout,
)
from services.context import Context
from services.integrations.execution.waiting import retry_after
from services.integrations.oauth2.answers import is_token

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = rf"(?P<name>{_TOKEN})\s*=\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<plain>[^\s,\"]+))"
#: A parameter, the name of a scheme, or the token68 of a scheme that is none of ours.
_PART = re.compile(rf"[\s,]*(?:{_PARAMETER}|(?P<scheme>{_TOKEN})(?=[\s,]|$)|[A-Za-z0-9._~+/-]+=*(?=[\s,]|$))")
_LONGEST_HEADER = 4_096
_MOST_SCOPES = 20
_MOST_BYTES = 262_144
_TIMEOUT_SECONDS = 10.0
#: What the specification says of an answer without `expires_in`; what is longer than an hour is asked for again.
_DEFAULT_LIFE, _LONGEST_LIFE, _EARLY = 60.0, 3_600.0, 10.0


class Challenge(NamedTuple):
    """`scope` as it is written, several with spaces between them; `realm` is a URL where `scheme` is bearer."""

    scheme: Literal["basic", "bearer"]
    realm: str = ""
    service: str = ""
    scope: str = ""


class RealmToken(NamedTuple):
    """`seconds` are those for which it may be used without asking again."""

    text: str
    seconds: float


def read_challenge(answer: Answer, *, tokens: bool = True) -> Challenge | None:
    """What the answer asks for: a token where those are taken, else a password; None where it asks for neither."""
    text = ", ".join(answer.headers.getall("WWW-Authenticate", []))[:_LONGEST_HEADER]
    found: dict[str, dict[str, str]] = {}
    given: dict[str, str] = {}
    at = 0
    while match := _PART.match(text, at):
        at = match.end()
        if match["scheme"] is not None:
            given = found.setdefault(match["scheme"].lower(), {})
        elif match["name"] is not None:
            value = match["plain"] if match["quoted"] is None else re.sub(r"\\(.)", r"\1", match["quoted"])
            given.setdefault(match["name"].lower(), value)
    bearer = found.get("bearer")
    if tokens and bearer is not None and bearer.get("realm"):
        return Challenge("bearer", bearer["realm"], bearer.get("service", ""), bearer.get("scope", ""))
    return Challenge("basic") if "basic" in found else None


class Realm(NamedTuple):
    """Who may be asked for tokens on behalf of a registry: `plain` where that itself is called by http."""

    may_ask: Callable[[str], bool]
    plain: bool


async def ask_realm(
    context: Context, realm: Realm, challenge: Challenge, authorization: str | None, hidden: Collection[str]
) -> RealmToken:
    """A token for the challenge; anonymously where `authorization` is None. No message holds what is `hidden`.

    Raises IntegrationAuthFailed where the realm refuses or is none that may see the credentials, and
    IntegrationRateLimited, IntegrationFailed, IntegrationTimeout and ExecutionFailed.
    """
    headers = {"Accept": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    url = _address(realm, challenge)
    call = Call("GET", url, headers, None, _TIMEOUT_SECONDS, _MOST_BYTES, realm.may_ask, frozenset({"authorization"}))
    try:
        answer = await context.runtime.egress.call(call)
    except EgressError as error:
        raise _unanswered(error) from None
    if answer.status != 200:
        raise _refusal(answer, anonymous=authorization is None)
    return _granted(answer, hidden)


def _address(realm: Realm, challenge: Challenge) -> str:
    try:
        url = urlsplit(challenge.realm)
        host = url.hostname or ""
    except ValueError:
        raise IntegrationFailed("The registry asks for a token of a realm that is no URL.") from None
    if url.scheme not in ("http", "https") or not host or "@" in url.netloc:
        raise IntegrationFailed("The registry asks for a token of a realm that is no http or https URL.")
    if not realm.may_ask(host):
        text = (
            f"The registry asks for a token of {host[:253]}, which the integration does not name; nothing was sent "
            "there. Where it is right, give it as realmHost."
        )
        raise IntegrationAuthFailed(text)
    if url.scheme == "http" and not realm.plain:
        raise IntegrationAuthFailed("The registry asks for a token over plain http; nothing was sent there.")
    asked = [("service", challenge.service)] if challenge.service else []
    asked += [("scope", scope) for scope in challenge.scope.split()[:_MOST_SCOPES]]
    query = urlencode([*parse_qsl(url.query, keep_blank_values=True), *asked])
    return url._replace(query=query, fragment="").geturl()


def _unanswered(error: EgressError) -> DomainError:
    if isinstance(error, EgressRefused) and error.of_the_answer:
        return IntegrationFailed(f"The answer of the registry's token server is refused: {error}")
    if isinstance(error, EgressRefused):
        return ExecutionFailed(f"The address of the registry's token server is refused: {error}", rule=error.rule)
    if isinstance(error, EgressFailed) and error.timed_out:
        return IntegrationTimeout(f"The registry's token server gave no answer within {_TIMEOUT_SECONDS:.0f} s.")
    return IntegrationFailed("The registry's token server did not answer.", can_retry=True)


def _refusal(answer: Answer, *, anonymous: bool) -> DomainError:
    status = answer.status
    if status == 429:
        text = "The rate limit of the registry's token server is used up."
        return IntegrationRateLimited(max(1, round(retry_after(answer) or 1)), text)
    if status in (400, 401, 403, 404):
        who = "anybody without credentials" if anonymous else "the credentials"
        text = f"The registry's token server refuses {who}: it answered with status {status}."
        return IntegrationAuthFailed(text, statusCode=status)
    text = f"The registry's token server answered with status {status}."
    return IntegrationFailed(text, status_code=status, can_retry=status >= 500)


def _granted(answer: Answer, hidden: Collection[str]) -> RealmToken:
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = None
    given = found if isinstance(found, dict) else {}
    token = given.get("token") or given.get("access_token")
    if not is_token(token) or token in hidden:
        raise IntegrationFailed("The registry's token server answered without a token.", status_code=answer.status)
    return RealmToken(token, _life(given.get("expires_in")))


def _life(told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or told <= 0:
        told = _DEFAULT_LIFE
    life = min(float(told), _LONGEST_LIFE)
    return life - min(_EARLY, life / 2)
