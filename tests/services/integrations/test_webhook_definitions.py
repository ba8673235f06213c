"""Definitions that receive webhooks: faults by path, lint, offline examples, and what another version takes."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import msgspec
import pytest

from app.errors import ValidationFailed
from services.inputs import read_input
from services.integrations.connectors.files import built_in_definitions
from services.integrations.definitions.checking import check_definition
from services.integrations.definitions.columns import definition_of, stored
from services.integrations.definitions.model import Definition
from services.integrations.definitions.publishing import check_publishable
from services.integrations.reviewing.differences import Comparison, compare_definitions
from services.integrations.reviewing.linting import lint_definition
from services.integrations.reviewing.rehearsing import rehearse
from tests.runtime.webhooks import PARTS, receiving

HMAC = {"scheme": "hmac", "header": "X-Signature"}
SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
EVENT = {"name": "order.paid", "description": "It was paid", "payloadSchema": SCHEMA}
GITHUB = next(each for each in built_in_definitions() if each.name == "scm.github-webhook")


def made(kind: str = "standard", **changes: Any) -> Definition:
    return read_input(Definition, receiving(kind, **changes))


@pytest.mark.parametrize("kind", sorted(PARTS))
def test_each_scheme_is_data(kind: str) -> None:
    """It is taken, can be published, and comes back from its row as it was written."""
    found = made(kind)
    check_definition(found)
    check_publishable(found)
    assert definition_of(stored(found) | {"semver": "1.0.0"}) == msgspec.structs.replace(found, category="generic")


@pytest.mark.parametrize(
    ("webhook", "path", "rule"),
    [
        ({"signatures": []}, "webhook.signatures", "length"),
        ({"signatures": [{"scheme": "token"}]}, "webhook.signatures.0.scheme", "one of hmac, standard, timestamped"),
        ({"signatures": [{"scheme": "hmac"}]}, "webhook.signatures.0.header", "must be given"),
        ({"signatures": [{"scheme": "timestamped"}]}, "webhook.signatures.0.header", "must be given"),
        ({"signatures": [{"scheme": "standard", "prefix": "v1="}]}, "webhook.signatures.0.prefix", "of no use"),
        ({"signatures": [HMAC | {"idHeader": "X"}]}, "webhook.signatures.0.idHeader", "of no use"),
        ({"signatures": [HMAC | {"header": "no name"}]}, "webhook.signatures.0.header", "no header name"),
        ({"signatures": [HMAC | {"header": "Authorization"}]}, "webhook.signatures.0.header", "not for a definition"),
        ({"signatures": [HMAC | {"signed": "{body}x"}]}, "webhook.signatures.0.signed", "ends with {body}"),
        ({"signatures": [HMAC | {"signed": "{body}{body}"}]}, "webhook.signatures.0.signed", "ends with {body}"),
        ({"signatures": [HMAC | {"signed": "{timestamp}.{body}"}]}, "webhook.signatures.0.signed", "timestampHeader"),
        ({"signatures": [HMAC | {"timestampHeader": "X-T"}]}, "webhook.signatures.0.signed", "timestampHeader"),
        ({"signatures": [HMAC | {"signed": "{+body}"}]}, "webhook.signatures.0.signed", "ends with {body}"),
        ({"signatures": [HMAC | {"signed": "{timestamp:3}{body}"}]}, "webhook.signatures.0.signed", "ends with {body}"),
        ({"signatures": [HMAC | {"signed": "\u00e9{body}"}]}, "webhook.signatures.0.signed", "printable ASCII"),
        ({"signatures": [HMAC | {"encoding": "utf8"}]}, "webhook.signatures.0.encoding", "one of base64, hex"),
        ({"signatures": [HMAC | {"secret": "x"}]}, "webhook.signatures.0.secret", "not a field"),
        ({"eventType": {}}, "webhook.eventType", "exactly one"),
        ({"eventType": {"header": "X", "body": "type"}}, "webhook.eventType", "exactly one"),
        ({"eventType": {"body": "type["}}, "webhook.eventType.body", "JMESPath"),
        ({"deliveryId": {"header": "Cookie"}}, "webhook.deliveryId.header", "not for a definition"),
        ({"events": [EVENT, EVENT]}, "webhook.events.1.name", "unique"),
        ({"events": [EVENT | {"name": "a\u0007b"}]}, "webhook.events.0.name", "control"),
        ({"events": [EVENT | {"payloadSchema": {"type": 1}}]}, "webhook.events.0.payloadSchema", "JSON Schema"),
        (
            {"events": [EVENT | {"examples": [{"payload": {"id": "x"}}]}]},
            "webhook.events.0.examples.0.payload.id",
            "integer",
        ),
    ],
)
def test_each_fault_has_its_path(webhook: dict[str, Any], path: str, rule: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        check_definition(made(webhook=webhook))
    assert rule in str((refused.value.details or {})[path])


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"type": "http"}, "webhook"),
        (
            {"secretsSchema": {"type": "object", "properties": {"token": {"type": "string"}}}},
            "secretsSchema.properties",
        ),
        ({"webhook": {"eventType": None, "events": [EVENT]}}, "webhook.eventType"),
    ],
)
def test_what_does_not_go_together(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        check_definition(made(**changes))
    assert path in (refused.value.details or {})


def test_one_that_neither_calls_nor_receives_is_not_published() -> None:
    found = read_input(Definition, receiving() | {"webhook": None})
    check_definition(found)
    with pytest.raises(ValidationFailed, match="what comes in"):
        check_publishable(found)


def test_lint_tells_what_is_missing() -> None:
    found = lint_definition(made("github"))
    assert {(each.rule, each.path) for each in found} == {
        ("replay", "webhook.signatures.0"), ("events", "webhook.events"),
    }  # fmt: skip
    found = lint_definition(made(webhook={"events": [{"name": "a"}], "eventType": {"body": "type"}}))
    assert {each.rule for each in found} == {"description", "payload", "examples"}
    assert {each.rule for each in lint_definition(made("slack"))} == {"event_type", "events"}


def test_examples_are_played() -> None:
    """Signed, verified and read as a webhook that came in; one that is of another type is told."""
    events = [EVENT | {"examples": [{"payload": {"type": "order.paid", "id": 1}}, {"payload": {"type": "b", "id": 1}}]}]
    both = [{"scheme": "standard"}, HMAC]
    found = rehearse(made(webhook={"events": events, "signatures": both}))
    assert [(each.method, each.example, each.fault) for each in found] == [
        ("webhook order.paid", 0, None), ("webhook order.paid", 0, None),
        ("webhook order.paid", 1, "the type is b, and not order.paid"),
        ("webhook order.paid", 1, "the type is b, and not order.paid"),
    ]  # fmt: skip
    events[0]["examples"] = [{"payload": {"id": 1}, "headers": {"Content-Type": "text/plain"}}]
    assert "unsupported_media_type" in str(rehearse(made(webhook={"events": events}))[0].fault)


def compared(change: Any, version: str = "1.1.0") -> Comparison:
    before = msgspec.to_builtins(GITHUB)
    after = copy.deepcopy(before) | {"version": version}
    change(after)
    return compare_definitions(GITHUB, msgspec.convert(after, Definition), dt.date(2026, 1, 1))


def test_what_another_version_takes() -> None:
    """An event, a member of its payload, a signature, a name: taken is breaking, added is a minor step."""
    events = {event.name: number for number, event in enumerate((GITHUB.webhook and GITHUB.webhook.events) or ())}

    def rules(change: Any) -> tuple[set[str], str]:
        found = compared(change)
        return {each.rule for each in found.differences if each.verdict == "breaking"}, found.needed

    taken, needed = rules(lambda each: each["webhook"]["events"].pop(events["release"]))
    assert taken and needed == "major"
    push = events["push"]
    taken, needed = rules(lambda each: each["webhook"]["events"][push]["payloadSchema"]["required"].remove("after"))
    assert taken and needed == "major"
    assert rules(lambda each: each["webhook"]["signatures"][0].update(header="X-Other")) == (
        {"signature-removed"}, "major",
    )  # fmt: skip
    assert rules(lambda each: each["webhook"].update(deliveryId={"body": "id"})) == ({"source-changed"}, "major")
    assert rules(lambda each: each.update(webhook=None))[1] == "major"
    more = {"name": "issues", "payloadSchema": {"type": "object"}}
    assert rules(lambda each: each["webhook"]["events"].append(more)) == (set(), "minor")
    assert rules(lambda each: each["webhook"]["signatures"].append({"scheme": "standard"})) == (set(), "patch")
    assert rules(lambda each: None) == (set(), "none")
