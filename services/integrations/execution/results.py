"""What an answer means: whether it is an error and which, and what of it is the result."""

import base64
from collections.abc import Mapping
from math import ceil
from typing import Any, NamedTuple, NoReturn

import msgspec

from app.egress import Answer
from app.errors import (
    DomainError,
    ExecutionFailed,
    IntegrationAuthFailed,
    IntegrationFailed,
    IntegrationRateLimited,
    IntegrationTimeout,
)
from services.integrations.definitions.compiling import CompiledRule
from services.integrations.definitions.schemas import schema_faults
from services.integrations.execution.calls import RETRIED, Run, shown_answer
from services.integrations.execution.charsets import in_utf8
from services.integrations.execution.limits import LONGEST_PAUSE
from services.integrations.execution.redaction import Redaction
from services.integrations.execution.waiting import retry_after
from services.nesting import nests_deeper

_NO_CONTENT = frozenset({204, 205})
_LONGEST_MESSAGE = 500
_MOST_LEVELS = 200
_DEFAULT_PAUSE = 1.0


class Reading(NamedTuple):
    """An answer, read: `body` is JSON, a text, or an object with `contentType` and `contentBase64`."""

    answer: Answer
    body: Any


def read_answer(run: Run, answer: Answer) -> Reading:
    """The answer, without secrets. Raises the error that it is, by the definition's rules and then by its status."""
    kind = (answer.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    redaction = run.credentials.redaction
    raw = in_utf8(answer, json=_is_json(kind))
    body, malformed = _decoded(kind, answer, raw, redaction)
    reading = Reading(answer, redaction.value(body) if redaction.touches(raw) else body)
    _check_rules(run, reading)
    if answer.status == 401:
        text = "The integration refuses the credentials: it answered with status 401."
        raise IntegrationAuthFailed(text, statusCode=401, response=shown_answer(reading.body))
    if answer.status == 429:
        raise _limited(answer, None)
    if not 200 <= answer.status < 300:
        raise failed(run, reading, f"The integration answered with status {answer.status}.")
    if malformed:
        raise _malformed(reading, "it is no JSON, although it says so")
    graphql = run.target.compiled.definition.type == "graphql"
    if graphql and isinstance(reading.body, Mapping) and reading.body.get("errors"):
        raise failed(run, reading, "The integration answered with GraphQL errors.")
    return reading


def _decoded(kind: str, answer: Answer, raw: bytes, redaction: Redaction) -> tuple[Any, bool]:
    """The body, and whether it is not what its content type says; `raw` is its text in UTF-8."""
    if answer.status in _NO_CONTENT or not answer.body:
        return None, False
    if _is_json(kind):
        try:
            found = msgspec.json.decode(raw)
            if raw.count(b"{") + raw.count(b"[") > _MOST_LEVELS and nests_deeper(found, _MOST_LEVELS):
                raise RecursionError
            return found, False
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return raw[:16_384].decode("utf-8", "replace"), bool(kind)
    if kind.startswith("text/") or kind.endswith("xml"):
        return raw.decode("utf-8", "replace"), False
    return {"contentType": kind[:200], "contentBase64": base64.b64encode(redaction.raw(answer.body)).decode()}, False


def _is_json(kind: str) -> bool:
    return kind in ("application/json", "text/json", "") or kind.endswith("+json")


def _check_rules(run: Run, reading: Reading) -> None:
    rules = run.target.compiled.rules
    if not rules:
        return
    seen = _seen(run, reading)
    for rule in rules:
        if rule.rule.status is not None and reading.answer.status not in rule.rule.status:
            continue
        if rule.when is None or _holds(_searched(rule.when, seen, "errorRules")):
            raise _by_rule(run, rule, reading, seen)


def _seen(run: Run, reading: Reading) -> dict[str, Any]:
    """The whole answer, as expressions see it."""
    headers = {name.lower(): text for name, text in reading.answer.headers.items()}
    shown = run.credentials.redaction.value(headers)
    return {"status": reading.answer.status, "headers": shown, "body": reading.body}


def _holds(value: Any) -> bool:
    """As JMESPath has it: false, null and what is empty do not hold."""
    return value is not None and value is not False and value not in ("", [], {})


def _by_rule(run: Run, rule: CompiledRule, reading: Reading, seen: Any) -> DomainError:
    told = None if rule.message is None else _searched(rule.message, seen, "errorRules")
    message = told[:_LONGEST_MESSAGE] if isinstance(told, str) and told else None
    details = {"statusCode": reading.answer.status, "response": shown_answer(reading.body)}
    code = rule.rule.code
    if code == "AUTH_ERROR":
        return IntegrationAuthFailed(message, **details)
    if code == "RATE_LIMIT_EXCEEDED":
        return _limited(reading.answer, message)
    if code == "EXECUTION_ERROR":
        return ExecutionFailed(message, **details)
    if code == "TIMEOUT_ERROR":
        return IntegrationTimeout(message, **details)
    found = failed(run, reading, message)
    if rule.rule.retryable is not None:
        found.can_retry = rule.rule.retryable
    return found


def failed(run: Run, reading: Reading, message: str | None) -> IntegrationFailed:
    status = reading.answer.status
    again = status in RETRIED and run.method.method.repeats != "none"
    return IntegrationFailed(message, status_code=status, response=shown_answer(reading.body), can_retry=again)


def _limited(answer: Answer, message: str | None) -> IntegrationRateLimited:
    # As long as it is left alone from here: who asks for years is asked again.
    seconds = min(max(1, ceil(retry_after(answer) or _DEFAULT_PAUSE)), LONGEST_PAUSE)
    return IntegrationRateLimited(seconds, message or "The integration's own rate limit is used up.")


def result_of(run: Run, reading: Reading) -> Any:
    """The method's result. Raises IntegrationFailed where the answer does not fit its schema."""
    whole = run.method.method.result_from == "answer"
    made = _seen(run, reading) if whole else reading.body
    if run.method.result_path is not None:
        made = _searched(run.method.result_path, made, "resultPath")
    empty = reading.answer.status in _NO_CONTENT or run.method.method.verb == "HEAD"
    if run.method.result is None or (empty and not whole):
        return made
    fault = next(schema_faults(run.method.result, made, "result"), None)
    if fault is not None:
        raise _malformed(reading, f"{fault[0] or 'result'} {fault[1]}")
    return made


def _malformed(reading: Reading, why: str) -> IntegrationFailed:
    text = f"The integration gave a malformed response: {why[:_LONGEST_MESSAGE]}."
    return IntegrationFailed(text, status_code=reading.answer.status, response=shown_answer(reading.body))


def _searched(expression: Any, value: Any, place: str) -> Any:
    try:
        return expression.search(value)
    except Exception as error:  # noqa: BLE001 - whatever the author's expression does to a stranger's answer
        _inapplicable(place, error)


def _inapplicable(place: str, error: Exception) -> NoReturn:
    # The message of the library may repeat the value.
    text = f"The integration gave a malformed response: {place} cannot be applied to it ({type(error).__name__})."
    raise IntegrationFailed(text) from None
