"""What token endpoints answer: whatever it is, it is a token, a refusal or no answer, and repeats no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from app.egress import Answer
from services.integrations.oauth2.answers import UNNAMED, Granted, TokenRefused, TokenUnanswered, read_grant
from services.integrations.oauth2.tokens import is_due, is_good, timed

SENT = ("the_secret_code", "s3cret")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["access_token", "refresh_token", "token_type", "expires_in", "scope", "error"])


def answered(body: bytes, status: int = 200, kind: str = "application/json") -> Answer:
    return Answer(status, CIMultiDictProxy(CIMultiDict({"Content-Type": kind})), body, "https://issuer.example/token")


def read(body: Any, status: int = 200) -> Granted:
    return read_grant(answered(json.dumps(body).encode(), status), SENT)


@given(st.dictionaries(NAMES, JSON), st.integers(200, 599), st.sampled_from(["application/json", "text/html", ""]))
def test_any_members(body: dict[str, Any], status: int, kind: str) -> None:
    try:
        found = read_grant(answered(json.dumps(body).encode(), status, kind), SENT)
    except (TokenRefused, TokenUnanswered):
        return
    assert found.access_token.isascii() and found.access_token.isprintable()
    assert status < 300 and body.get("error") is None
    assert found.lifetime is None or found.lifetime >= 0


@given(st.binary(max_size=200), st.sampled_from(["application/json", "application/x-www-form-urlencoded"]))
def test_any_bytes(body: bytes, kind: str) -> None:
    with pytest.raises((TokenRefused, TokenUnanswered)):
        read_grant(answered(body.replace(b"access_token", b""), kind=kind), SENT)


@given(st.text(max_size=60) | st.sampled_from(SENT))
def test_an_error_repeats_no_secret(code: str) -> None:
    with pytest.raises((TokenRefused, TokenUnanswered)) as refused:
        read({"error": code}, 400)
    assert not any(secret in str(refused.value) for secret in SENT)


@pytest.mark.parametrize(
    ("body", "lifetime"),
    [({"expires_in": 60}, 60_000), ({"expires_in": "60"}, 60_000), ({"expires_in": 1.5}, 1_500), ({}, None),
     ({"expires_in": 0}, None), ({"expires_in": -1}, None), ({"expires_in": True}, None), ({"expires_in": "x"}, None),
     ({"expires_in": 1e300}, None)],
)  # fmt: skip
def test_lifetimes(body: dict[str, Any], lifetime: int | None) -> None:
    assert read({"access_token": "a", **body}).lifetime == lifetime


def test_forms_and_refusals() -> None:
    """Some servers answer in a form, and some refuse with the status 200."""
    form = answered(b"access_token=a&scope=repo%2Cgist&token_type=bearer", kind="application/x-www-form-urlencoded")
    assert read_grant(form, ()) == Granted("a", None, None, "repo,gist")
    refusals = [
        (200, {"error": "bad_verification_code"}, "bad_verification_code"), (401, {}, "invalid_client"),
        (400, {"error": "the_secret_code"}, UNNAMED), (400, {"error": "bad_s3cret_here"}, UNNAMED),
        (400, {"error": ["x"]}, UNNAMED), (400, {"error": "A B"}, UNNAMED), (400, {"error": "x" * 99}, UNNAMED),
    ]  # fmt: skip
    for status, body, code in refusals:
        with pytest.raises(TokenRefused) as refused:
            read(body, status)
        assert refused.value.code == code
    for status in (302, 404, 429, 500, 503):
        with pytest.raises(TokenUnanswered):
            read({}, status)
    with pytest.raises(TokenUnanswered):
        read({"error": "temporarily_unavailable"}, 400)


@given(st.integers(1, 10**10), st.integers(0, 10**10))
def test_a_token_is_due_before_it_ends(lifetime: int, later: int) -> None:
    """At the smaller of 15 minutes and half of its life ahead; what is neither due nor good does not exist."""
    row = timed(1_000_000, lifetime)
    assert row["expires_at"] is not None and row["refresh_at"] is not None
    assert row["expires_at"] - row["refresh_at"] == min(900_000, lifetime // 2)
    now = 1_000_000 + later
    if later >= lifetime:
        assert is_due(row, now) and not is_good(row, now)
    if later < lifetime - lifetime // 2:
        assert not is_due(row, now)
