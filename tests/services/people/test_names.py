"""Names: shown, ordered, searched, and checked when they come from outside."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ValidationFailed
from services.people.names import check_localised, display_name, fold_query, like_pattern, search_text, sort_key

ADA = "0000-0002-1825-0097"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ({"pt": "João Silva", "en": "Joao Silva"}, "Joao Silva"),
        ({"pt": "João Silva", "en": None}, "João Silva"),
        ({"pt": "B", "de": "A", "en": " "}, "A"),
        ({"en": None}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_the_name_that_is_shown(name: Any, shown: str) -> None:
    assert display_name(name) == shown


def test_order_looks_past_case_and_compatibility_forms() -> None:
    assert sort_key("ＡDA") == sort_key("ada")
    assert sort_key("Straße") == sort_key("STRASSE")
    assert sort_key("e\u0301") == sort_key("é") != sort_key("e")


def test_search_text_holds_every_locale_and_the_id() -> None:
    assert search_text({"pt": "João", "en": "Joao", "fr": None, "ja": "ジョアン"}, ADA).split("\n") == [
        "joao",
        fold_query("ジョアン"),
        ADA,
    ]
    assert search_text(None, "0000-0002-1642-628X") == "0000-0002-1642-628x"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("joão", "Joao Silva"),
        ("JOAO", "João Silva"),
        (" silva ", "João Silva"),
        ("strasse", "Straße"),
        ("İstanbul", "istanbul"),
        ("ﬁn", "Finn"),
        ("o  s", "João Silva"),
        ("Ángström", "ÅNGSTRÖM"),
        ("1825-0097", "x"),
    ],
)
def test_queries_find_names(query: str, name: str) -> None:
    assert fold_query(query) in search_text(name, ADA)


def test_a_query_never_spans_two_names() -> None:
    assert fold_query("ada\nbea") not in search_text({"de": "Ada", "en": "Bea"}, ADA)


@given(st.text())
def test_folding_is_stable(text: str) -> None:
    """Folded text is its own folded form, so stored text and queries always meet."""
    folded = fold_query(text)
    assert fold_query(folded) == folded
    assert "\n" not in folded
    assert fold_query(unicodedata.normalize("NFC", text)) == folded


def test_patterns_escape_what_like_reads() -> None:
    assert like_pattern("50%_!a") == "%50!%!_!!a%"
    assert like_pattern("") == "%%"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("Ada", "name"),
        ({"en": "Ada", "pt-BR": None, "zh_Hans_CN": "阿达"}, "name"),
        ("One\n\ttwo\r\n", "biography"),
        ({f"l{chr(97 + n // 26)}{chr(97 + n % 26)}": "x" for n in range(200)}, "name"),
        ("x" * 10_000, "name"),
    ],
)
def test_localised_values_that_are_taken(value: Any, field: str) -> None:
    assert check_localised(value, field) == value


@pytest.mark.parametrize(
    ("value", "field", "rule"),
    [
        (None, "name", "must be text"),
        (7, "name", "must be text"),
        (["Ada"], "name", "must be text"),
        ("", "name", "blank"),
        (" \u3000", "name", "blank"),
        ({}, "name", "blank"),
        ({"en": None, "de": " "}, "name", "blank"),
        ({"en": 7}, "name.en", "text or null"),
        ({"": "x"}, "name", "locales like"),
        ({"english language": "x"}, "name", "locales like"),
        ({"e" * 50: "x"}, "name", "locales like"),
        ({7: "x"}, "name", "locales like"),
        ({f"l{chr(97 + n // 26)}{chr(97 + n % 26)}": "x" for n in range(201)}, "name", "200 locales"),
        ("x" * 10_001, "name", "10000"),
        ("A\x00", "name", "control"),
        ("A\nB", "name", "control"),
        ({"en": "A\x1b"}, "biography.en", "control"),
        ("A\ud800", "name", "control"),
    ],
)
def test_localised_values_that_are_refused(value: Any, field: str, rule: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        check_localised(value, field.partition(".")[0])
    assert rule in caught.value.details[field]
