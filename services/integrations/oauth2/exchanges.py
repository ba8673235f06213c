"""An assertion, exchanged for a token as the definition says: GitHub Apps and their like."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from app.clock import SECOND
from app.egress import Answer
from app.errors import IntegrationNotAuthenticated
from services.integrations.definitions.addresses import covers
from services.integrations.definitions.expressions import compile_expression
from services.integrations.definitions.model import CONFIG, Definition, Exchange
from services.integrations.definitions.templates import compile_path, variables_of
from services.integrations.oauth2.answers import Granted, TokenRefused, TokenUnanswered, is_token, lifetime_of

#: What is larger is an instant: the seconds of thirty years.
_LONGEST_SPAN = 1_000_000_000


class Asked(NamedTuple):
    """The request of an exchange, without the assertion."""

    url: str
    exchange: Exchange


def asked_of(definition: Definition, exchange: Exchange, config: Mapping[str, Any]) -> Asked:
    """Where an instance with this effective configuration asks. Raises IntegrationNotAuthenticated."""
    base = config.get("baseUrl") or definition.base_url
    host = (urlsplit(base).hostname if isinstance(base, str) else None) or ""
    if not host or (definition.allowed_hosts is not None and not covers(definition.allowed_hosts, host)):
        raise IntegrationNotAuthenticated("The base URL is missing, or at a host that may not be called.")
    values = {name: config.get(name.removeprefix(f"{CONFIG}.")) for name in variables_of(exchange.path)}
    wrong = [name for name, value in values.items() if not _is_segment(value)]
    if wrong:
        raise IntegrationNotAuthenticated(f"The configuration has no value for {wrong[0]}, which the exchange needs.")
    texts: dict[str, Any] = {name: str(value) for name, value in values.items()}
    return Asked(f"{str(base).rstrip('/')}{compile_path(exchange.path).expand(texts)}", exchange)


def _is_segment(value: object) -> bool:
    plain = isinstance(value, str | int) and not isinstance(value, bool)
    return plain and str(value) not in ("", ".", "..")


def read_exchange(asked: Asked, answer: Answer, now: int) -> Granted:
    """The token of an answer that came at `now` (ms). Raises TokenRefused and TokenUnanswered."""
    if answer.status == 401:
        raise TokenRefused("invalid_client")
    if not 200 <= answer.status < 300:
        raise TokenUnanswered(f"The exchange of the assertion was answered with the status {answer.status}.")
    try:
        found = msgspec.json.decode(answer.body)
    except (ValueError, RecursionError):
        found = None
    token = _at(asked.exchange.token_path, found)
    if not is_token(token):
        raise TokenUnanswered("The exchange of the assertion was answered without a token.")
    return Granted(token, None, _lifetime(_at(asked.exchange.expires_path, found), now), None)


def _at(path: str | None, found: Any) -> Any:
    if path is None:
        return None
    try:
        return compile_expression(path).search(found)
    except Exception:  # noqa: BLE001 - whatever the author's expression does to the answer
        return None


def _lifetime(value: Any, now: int) -> int | None:
    """Milliseconds that a token is good for; None where nothing says it."""
    try:
        seconds = _seconds(value)
    except (ValueError, OverflowError):
        return None
    if seconds is None:
        return None
    return lifetime_of(seconds - now / SECOND if seconds >= _LONGEST_SPAN else seconds)


def _seconds(value: Any) -> float | None:
    """A span, or since the epoch. Raises ValueError and OverflowError for a text or a number that is neither."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        until = dt.datetime.fromisoformat(value)
        return (until if until.tzinfo is not None else until.replace(tzinfo=dt.UTC)).timestamp()
    return float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
