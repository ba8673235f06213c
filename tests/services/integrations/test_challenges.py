"""What a 401 asks for, and how long an answer asks to be left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from app.egress import Answer
from services.integrations.execution.challenges import Challenge, read_challenge
from services.integrations.execution.waiting import retry_after

HUB = 'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"'
TOKEN = Challenge("bearer", "https://auth.example/token", "registry.example", "repository:a/b:pull,push")


def answer(*headers: tuple[str, str]) -> Answer:
    return Answer(401, CIMultiDictProxy(CIMultiDict(headers)), b"", "https://a.example")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([HUB], TOKEN),
        ([HUB + ',error="invalid_token"'], TOKEN),
        (['Basic realm="a, Bearer realm=b"', HUB], TOKEN),
        ([f'Basic realm="a", {HUB}'], TOKEN),
        ([f"Negotiate YII=, {HUB}"], TOKEN),
        (["bearer  realm = https://auth.example/token , service=x"], TOKEN._replace(service="x", scope="")),
        ([r'Bearer realm="https://auth.example/token",service="a\"b"'], TOKEN._replace(service='a"b', scope="")),
        (['BASIC realm="x"'], Challenge("basic")),
        (["Basic"], Challenge("basic")),
        (['Bearer error="insufficient_scope"'], None),
        (["Digest realm=x"], None),
        (['Bearer realm="never closed'], None),
        ([], None),
    ],
    ids=str,
)
def test_a_challenge(texts: list[str], expected: Challenge | None) -> None:
    assert read_challenge(answer(*(("WWW-Authenticate", text) for text in texts))) == expected


def test_where_tokens_are_not_taken() -> None:
    both = answer(("WWW-Authenticate", HUB), ("WWW-Authenticate", "Basic realm=x"))
    assert read_challenge(both, tokens=False) == Challenge("basic")
    assert read_challenge(answer(("WWW-Authenticate", HUB)), tokens=False) is None


@given(st.text(st.sampled_from('Bearer Basic realm="\\,=:/ab1\t'), max_size=200))
def test_any_text_is_read_or_is_no_challenge(text: str) -> None:
    found = read_challenge(answer(("WWW-Authenticate", text)))
    assert found is None or found.scheme == "basic" or found.realm


DATE = ("Date", "Sat, 21 Nov 2026 03:00:00 GMT")
AT = 1_795_230_000


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([("Retry-After", "7")], 7),
        ([DATE, ("Retry-After", "Sat, 21 Nov 2026 03:02:00 GMT")], 120),
        ([("Retry-After", "soon"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "9")], None),
        ([DATE, ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", str(AT + 90))], 90),
        ([DATE, ("RateLimit-Remaining", "0"), ("RateLimit-Reset", str(AT - 90))], 0),
        ([("RateLimit-Remaining", "0"), ("RateLimit-Reset", "30")], 30),
        ([("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", str(AT))], None),
        ([DATE, ("X-RateLimit-Remaining", "4"), ("X-RateLimit-Reset", str(AT + 90))], None),
        ([], None),
    ],
    ids=str,
)
def test_how_long_to_wait(headers: list[tuple[str, str]], seconds: float | None) -> None:
    assert retry_after(answer(*headers)) == seconds
