"""The rules for secret scanners find keys as this server makes them, and nothing that is near one."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from app.auth.credentials import SCANNER_PATTERN, new_key
from tests.docs.pages import DOCS, blocks

_PAGE = DOCS / "tasks" / "revoke-a-leaked-key.md"


def _only(language: str) -> str:
    (body,) = (block.body for block in blocks(_PAGE) if block.language == language)
    return body.strip()


def _gitleaks() -> tuple[str, list[str]]:
    (rule,) = tomllib.loads(_only("toml"))["rules"]
    return rule["regex"], rule["keywords"]


def _trufflehog() -> tuple[str, list[str]]:
    (detector,) = yaml.safe_load(_only("yaml"))["detectors"]
    return detector["regex"]["key"], detector["keywords"]


RULES: list[Any] = [
    pytest.param((_only("text"), [""]), id="pattern"),
    pytest.param(_gitleaks(), id="gitleaks"),
    pytest.param(_trufflehog(), id="trufflehog"),
]


def _found(rule: tuple[str, list[str]], text: str) -> list[str]:
    """As both scanners do: the pattern is tried where a keyword stands, and its one group, if any, is the secret."""
    pattern, keywords = rule
    if not any(keyword in text.lower() for keyword in keywords):
        return []
    return re.findall(pattern, text, re.ASCII)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "X-API-Key: {}\r\n",
        '{{"api_key":"{}"}}',
        "https://example.org/?key={}&page=1",
        "define('DOVETAIL_KEY','{}');",
        "KEY={}\\n",
    ],
)
@pytest.mark.parametrize("mode", ["live", "test"])
def test_a_key_is_found(mode: Any, text: str, rule: tuple[str, list[str]]) -> None:
    key = new_key(mode).text
    assert _found(rule, text.format(key)) == [key]


@pytest.mark.parametrize("rule", RULES)
def test_what_is_near_a_key_is_not(rule: tuple[str, list[str]]) -> None:
    """The public key id, a masked key, a key of another length, another word before it."""
    key = new_key("live").text
    near = [key[:17], f"{key[:18]}…", key[:-1], f"{key}0", key.replace("live", "prod"), f"x{key}", key[:-3] + "-ab"]
    assert [text for text in near if _found(rule, text)] == []


def test_the_rules_are_the_servers_own() -> None:
    patterns = [rule.values[0][0] for rule in RULES]
    assert {pattern.replace("(dvt", "dvt").replace("})\\b", "}\\b") for pattern in patterns} == {SCANNER_PATTERN}
