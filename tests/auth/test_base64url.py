"""Base64 for URLs: what is read is what was written, to the letter."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import base64url

ALPHABET = string.ascii_letters + string.digits + "-_"


@given(st.binary(max_size=64))
def test_it_is_read_as_it_was_written(raw: bytes) -> None:
    text = base64url.encode(raw)
    assert set(text) <= set(ALPHABET) and base64url.decode(text) == raw


@given(st.text(ALPHABET, max_size=64))
def test_two_texts_are_two_values(text: str) -> None:
    """A text is refused or is the one spelling of its bytes."""
    try:
        raw = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(raw) == text


@pytest.mark.parametrize(
    "text", ["A", "AB", "AAB", "AA==", "AA=", "=", "A+A=", "+++", "//", "A A", "AAAA\n", "ÄA", "😀"]
)
def test_others_are_refused(text: str) -> None:
    """Bits behind the last byte, padding, the other alphabet, white space, other scripts."""
    with pytest.raises(ValueError):
        base64url.decode(text)
