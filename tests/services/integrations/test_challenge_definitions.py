"""Challenges in definitions: faults by path, lint, offline examples, and what another version takes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.errors import ValidationFailed
from services.inputs import read_input
from services.integrations.definitions.checking import check_definition
from services.integrations.definitions.columns import definition_of, stored
from services.integrations.definitions.compiling import secrets_schema
from services.integrations.definitions.model import Definition
from services.integrations.reviewing.differences import compare_definitions
from services.integrations.reviewing.linting import lint_definition
from services.integrations.reviewing.rehearsing import rehearse
from tests.runtime.webhooks import receiving

SIGNED = {"value": {"body": "challenge"}, "proof": "signature"}
SHOWN = {
    "method": "GET", "value": {"query": "hub.challenge"}, "when": "query.\"hub.mode\" == 'subscribe'",
    "proof": "token", "token": {"query": "hub.verify_token"},
}  # fmt: skip
OKTA = {"method": "GET", "value": {"header": "x-okta-verification-challenge"}, "proof": "none",
        "members": {"verification": "{value}"}}  # fmt: skip
ZOOM = {"value": {"body": "payload.plainToken"}, "proof": "signature", "hmac": {"encoding": "hex"},
        "members": {"plainToken": "{value}", "encryptedToken": "{hmac}"}}  # fmt: skip
#: The key by Standard Webhooks, and what OpenSSL makes of it and the text q.
KEY = "whsec_YW4tZXhhbXBsZS1rZXktb2YtMzItY2hhcmFjdGVycyE="
HASHED = '{"plainToken": "q", "encryptedToken": "99c0e7aedfa84931fc498fa298599c23cdff5513d276f5e9def9bbd9f9f0e5e7"}'
OPEN = {"value": {"query": "validationToken"}, "proof": "none"}


def made(challenge: dict[str, Any] | None, **changes: Any) -> Definition:
    return read_input(Definition, receiving(webhook={"challenge": challenge}, **changes))


@pytest.mark.parametrize(
    "challenge", [SIGNED, SHOWN, OPEN, OKTA, ZOOM], ids=["signature", "token", "none", "header", "hmac"]
)
def test_each_proof_is_data(challenge: dict[str, Any]) -> None:
    """It is taken, and comes back from its row as it was written."""
    found = made(challenge)
    check_definition(found)
    back = definition_of(stored(found) | {"semver": "1.0.0"})
    assert back.webhook == found.webhook and back.webhook is not None and back.webhook.challenge is not None


@pytest.mark.parametrize(
    ("challenge", "path", "rule"),
    [
        (SIGNED | {"value": {}}, "value", "exactly one"),
        (SIGNED | {"value": {"query": "a", "body": "b"}}, "value", "exactly one"),
        (SIGNED | {"value": {"body": "a["}}, "value.body", "JMESPath"),
        (SIGNED | {"value": {"query": "a"}}, "proof", "covers the body alone"),
        (SIGNED | {"method": "GET"}, "value.body", "has no body"),
        (SIGNED | {"token": {"query": "a"}}, "token", "goes with the proof token"),
        (SHOWN | {"token": None}, "token", "goes with the proof token"),
        (SHOWN | {"token": {"body": "token"}}, "token.body", "has no body"),
        (SHOWN | {"token": {"query": "t\u00f6ken"}}, "token.query", "printable ASCII"),
        (SHOWN | {"when": "query.("}, "when", "JMESPath"),
        (OPEN | {"proof": "password"}, "proof", "one of none, signature, token"),
        (OPEN | {"method": "PUT"}, "method", "one of GET, POST"),
        (OPEN | {"answer": "x"}, "answer", "not a field"),
        (OKTA | {"value": {"header": "a", "query": "b"}}, "value", "exactly one"),
        (OKTA | {"value": {"header": "a b"}}, "value.header", "no header name"),
        (OKTA | {"value": {"header": "Authorization"}}, "value.header", "not for a definition"),
        (OKTA | {"value": {"header": "X-Forwarded-For"}}, "value.header", "of proxies"),
        (OKTA | {"value": {"header": "Client-Cert"}}, "value.header", "of proxies"),
        (OKTA | {"proof": "signature"}, "proof", "covers the body alone"),
        (OKTA | {"member": "a"}, "member", "beside members"),
        (OKTA | {"members": {}}, "members", "length >= 1"),
        (OKTA | {"members": {f"a{n}": "{value}" for n in range(11)}}, "members", "length <= 10"),
        (OKTA | {"members": {"a": "fixed"}}, "members", "must have {value} or {hmac}"),
        (OKTA | {"members": {"a": "{value}", "b": "{other}"}}, "members.b", "no braces but"),
        (OKTA | {"members": {"a": "{value}\n"}}, "members.a", "printable"),
        (OKTA | {"hmac": {"encoding": "hex"}}, "hmac", "goes with {hmac}"),
        (OPEN | {"hmac": {"encoding": "hex"}}, "hmac", "goes with members"),
        (ZOOM | {"hmac": None}, "hmac", "goes with {hmac}"),
        (ZOOM | {"hmac": {"algorithm": "MD5", "encoding": "hex"}}, "hmac.algorithm", "SHA-256"),
        (ZOOM | {"hmac": {"encoding": "rot13"}}, "hmac.encoding", "one of base64, hex"),
        (ZOOM | {"hmac": {}}, "hmac.encoding", "required"),
        (ZOOM | {"examples": [{"answer": "{}"}]}, "examples.0.signingSecret", "must be given"),
    ],
)
def test_each_fault_has_its_path(challenge: dict[str, Any], path: str, rule: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        check_definition(made(challenge))
    assert rule in str((refused.value.details or {})[f"webhook.challenge.{path}"])


def test_the_token_is_a_secret_of_the_instance() -> None:
    """By itself where the definition names no secrets, and named where it does."""
    assert "verifyToken" in secrets_schema(made(SHOWN))["properties"]
    assert "verifyToken" not in secrets_schema(made(SIGNED))["properties"]
    schema = {"type": "object", "properties": {"signingSecret": {"type": "string"}}}
    with pytest.raises(ValidationFailed) as refused:
        check_definition(made(SHOWN, secretsSchema=schema))
    assert "verifyToken" in str((refused.value.details or {})["secretsSchema.properties"])


def test_lint_tells_who_is_answered() -> None:
    def found(challenge: dict[str, Any]) -> set[str]:
        return {each.path for each in lint_definition(made(challenge)) if "challenge" in each.path}

    assert found(OPEN) == {"webhook.challenge.proof", "webhook.challenge.examples"}
    told = [each.message for each in lint_definition(made(ZOOM | {"proof": "none"})) if "proof" in each.path]
    assert len(told) == 1 and "signed with the secret of webhooks" in told[0]
    assert found(SIGNED | {"examples": [{"body": {"challenge": "a"}, "answer": "a"}]}) == set()


@pytest.mark.parametrize(
    ("challenge", "example", "fault"),
    [
        (SIGNED, {"body": {"challenge": "a"}, "answer": "a"}, None),
        (SIGNED, {"body": {"challenge": "a"}, "answer": "b"}, "the answer is a, and not b"),
        (SIGNED, {"body": {"challenge": 7}, "answer": "7"}, "is no challenge"),
        (SIGNED, {"answer": "7"}, "is no challenge"),
        (SIGNED, {"body": {"challenge": "a\nb"}, "answer": "a\nb"}, "validation_failed"),
        (
            SHOWN,
            {"query": {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "t"}, "answer": "1"},
            None,
        ),
        (SHOWN, {"query": {"hub.mode": "subscribe", "hub.challenge": "1"}, "answer": "1"}, "shows nothing at token"),
        (SHOWN, {"query": {"hub.mode": "off", "hub.challenge": "1"}, "answer": "1"}, "is no challenge"),
        (OPEN, {"query": {"validationToken": "a b"}, "answer": "a b"}, None),
        (OKTA, {"headers": {"X-Okta-Verification-Challenge": "a"}, "answer": '{"verification": "a"}'}, None),
        (OKTA, {"headers": {"X-Okta-Verification-Challenge": "a"}, "answer": "a"}, 'the answer is {"verification"'),
        (OKTA, {"headers": {}, "answer": "a"}, "is no challenge"),
        (ZOOM, {"body": {"payload": {"plainToken": "q"}}, "signingSecret": KEY, "answer": HASHED}, None),
        (ZOOM, {"body": {"payload": {"plainToken": "q"}}, "signingSecret": KEY, "answer": "{}"}, "the answer is"),
        (ZOOM, {"body": {"payload": {"plainToken": "q"}}, "signingSecret": "c2hvcnQ=", "answer": "{}"}, "24 to 64"),
        (ZOOM, {"body": {"payload": {"plainToken": "{}"}}, "signingSecret": KEY, "answer": "{}"}, "to be signed"),
    ],
)
def test_examples_are_played(challenge: dict[str, Any], example: dict[str, Any], fault: str | None) -> None:
    [played] = rehearse(made(challenge | {"examples": [example]}))
    assert (played.method, played.example) == ("webhook challenge", 0)
    assert played.fault is None if fault is None else fault in str(played.fault)


@pytest.mark.parametrize(
    ("before", "after", "needed"),
    [
        (None, SIGNED, "minor"),
        (SIGNED, SIGNED, "none"),
        (SIGNED, SIGNED | {"examples": []}, "patch"),
        (SIGNED, None, "major"),
        (SIGNED, SIGNED | {"when": "body.type == 'a'"}, "major"),
        (SIGNED, SIGNED | {"member": "challenge"}, "major"),
        (OPEN, SIGNED, "major"),
        (OPEN, OPEN | {"members": {"a": "{value}"}}, "major"),
        (ZOOM, ZOOM | {"hmac": {"encoding": "base64"}}, "major"),
    ],
)
def test_what_another_version_takes(before: Any, after: Any, needed: str) -> None:
    name = {"name": "Shop"}
    found = compare_definitions(made(before, **name), made(after, **name), dt.date(2026, 1, 1))
    assert found.needed == needed, found.differences
    assert {each.rule for each in found.differences} == ({"challenge-changed"} if needed == "major" else set())
