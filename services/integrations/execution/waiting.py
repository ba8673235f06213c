"""How long an answer asks to be left alone."""

from email.utils import parsedate_to_datetime

from app.egress import Answer

#: A reset that is larger is an instant, in seconds since the epoch, and no count of seconds.
_LONGEST_COUNT = 1_000_000_000


def retry_after(answer: Answer) -> float | None:
    """Seconds until another try; None where the answer says nothing that can be read.

    By `Retry-After` (RFC 9110 section 10.2.3), and where that is missing by the reset of a rate limit of which nothing
    is left: `X-RateLimit-Reset` or `RateLimit-Reset`, an instant or a count of seconds.
    """
    text = (answer.headers.get("Retry-After") or "").strip()
    if text:
        return float(text[:9]) if text.isascii() and text.isdigit() else _until(text, answer)
    for prefix in ("X-RateLimit", "RateLimit"):
        reset = (answer.headers.get(f"{prefix}-Reset") or "").strip()
        spent = (answer.headers.get(f"{prefix}-Remaining") or "").strip() == "0"
        if spent and reset.isascii() and reset.isdigit():
            return _reset(int(reset[:12]), answer)
    return None


def _until(text: str, answer: Answer) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(text) - parsedate_to_datetime(_sent(answer))).total_seconds())
    except (TypeError, ValueError):
        return None


def _reset(value: int, answer: Answer) -> float | None:
    if value < _LONGEST_COUNT:
        return float(value)
    try:
        # By the clock of who names the instant.
        return max(0.0, value - parsedate_to_datetime(_sent(answer)).timestamp())
    except (TypeError, ValueError):
        return None


def _sent(answer: Answer) -> str:
    return answer.headers.get("Date") or ""
