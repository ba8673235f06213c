"""ORCID iDs: every usual way to write one, and the rule that a wrong one breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ValidationFailed
from services.people.orcid import check_digit, parse_orcid


@pytest.mark.parametrize(
    ("text", "orcid_id"),
    [
        ("0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("0000-0001-2345-6789", "0000-0001-2345-6789"),
        (" 0000-0002-1642-628x\n", "0000-0002-1642-628X"),
        ("https://orcid.org/0000-0002-1642-628X", "0000-0002-1642-628X"),
        ("HTTPS://ORCID.org/0000-0002-1642-628x/", "0000-0002-1642-628X"),
        ("http://www.orcid.org/0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("orcid.org/0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("000000021642628X", "0000-0002-1642-628X"),
        ("0009-0000-0000-0009", "0009-0000-0000-0009"),
    ],
)
def test_accepted(text: str, orcid_id: str) -> None:
    assert parse_orcid(text) == orcid_id


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("0000-0002-1825-009", "sixteen"),
        ("0000-0002-1825-00977", "sixteen"),
        ("0000-0002-1825-0098", "check digit"),
        ("0000-0002-1642-6280", "check digit"),
        ("0000-0002-X642-6281", "last character"),
        ("0000-00021825-0097", "hyphens"),
        ("0000–0002–1825–0097", "sixteen"),
        ("0000 0002 1825 0097", "sixteen"),
        ("٠٠٠٠-0002-1825-0097", "hyphens"),
        ("https://sandbox.orcid.org/0000-0002-1825-0097", "orcid.org"),
        ("https://orcid.org/0000-0002-1825-0097/works", "orcid.org"),
        ("https://evil.test/orcid.org/0000-0002-1825-0097", "orcid.org"),
    ],
)
def test_refused(text: str, rule: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        parse_orcid(text)
    assert rule in caught.value.details["orcid_id"]


@given(st.from_regex(r"[0-9]{15}", fullmatch=True), st.integers(0, 14), st.integers(1, 9))
def test_any_one_wrong_digit_is_noticed(digits: str, place: int, shift: int) -> None:
    """MOD 11-2 finds every single substitution (ISO 7064)."""
    orcid_id = parse_orcid(digits + check_digit(digits))
    assert parse_orcid(orcid_id) == orcid_id
    wrong = digits[:place] + str((int(digits[place]) + shift) % 10) + digits[place + 1 :]
    with pytest.raises(ValidationFailed):
        parse_orcid(wrong + check_digit(digits))
