"""Lint, offline tests and differences of definitions; each of the built-in ones holds."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from services.integrations.connectors.files import built_in_definitions
from services.integrations.definitions.compiling import compile_definition
from services.integrations.definitions.model import Definition, Example, ExampleResponse
from services.integrations.execution.requests import build_request
from services.integrations.execution.targets import Target, checked_parameters
from services.integrations.importing.converting import Choice, convert_document
from services.integrations.reviewing.differences import Comparison, compare_definitions
from services.integrations.reviewing.linting import lint_definition
from services.integrations.reviewing.rehearsing import _answered, rehearse
from tests.services.integrations.samples import forge, with_method
from tests.services.integrations.test_importing import described

TODAY = dt.date(2026, 1, 1)
BUILT_IN = {definition.name: definition for definition in built_in_definitions()}


def definition(**changes: Any) -> Definition:
    return msgspec.convert(forge(**changes), Definition)


def compared(**changes: Any) -> Comparison:
    return compare_definitions(definition(), msgspec.convert(with_method(**changes), Definition), TODAY)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_example_of_a_built_in_holds(name: str) -> None:
    played = rehearse(BUILT_IN[name])
    assert [each for each in played if each.fault] == []
    webhook = BUILT_IN[name].webhook
    events = {f"webhook {event.name}" for event in (webhook and webhook.events) or ()}
    events |= {"webhook challenge"} if webhook is not None and webhook.challenge is not None else set()
    assert {each.method for each in played} == {method.name for method in BUILT_IN[name].methods} | events
    assert not [each for each in lint_definition(BUILT_IN[name]) if each.severity == "error"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("invalid_auth", "integration_auth_failed"),
        ("ratelimited", "integration_rate_limit_exceeded"),
        ("channel_not_found", "integration_error"),
    ],
)
def test_slack_answers_200_where_a_call_failed(error: str, code: str) -> None:
    compiled = compile_definition(BUILT_IN["notification.slack"])
    example = Example(response=ExampleResponse(body={"ok": False, "error": error}))
    target = Target({"id": None, "config": None}, compiled, {})
    found, fault = _answered(target, compiled.methods["postMessage"], example)
    assert found == code
    assert fault is not None and error in fault


def test_an_example_that_does_not_hold_is_told() -> None:
    example = {"params": {"owner": "a", "repo": "b"}, "response": {"body": {"id": 1}}, "result": {"id": 1}}
    good, refused = example, example | {"params": {"owner": "..", "repo": "b"}}
    found = rehearse(msgspec.convert(with_method(examples=[good, refused]), Definition))
    assert [(each.request, each.fault is None) for each in found] == [
        ("GET https://api.forge.example/repos/a/b", True), (None, False),
    ]  # fmt: skip
    assert "validation_failed" in str(found[1].fault)


def test_lint_tells_errors_and_gaps() -> None:
    made = with_method(
        description=None, examples=None, resultSchema=None, timeoutMs=None, rateLimits=None,
        request={"method": "POST", "path": "/a"}, retry={"maxAttempts": 3}, paramSchema=None,
    ) | {"version": "one", "allowedHosts": ["*.co.uk", "api.forge.example"], "verification": None}  # fmt: skip
    found = lint_definition(msgspec.convert(made, Definition))
    assert [each.path for each in found if each.severity == "error"] == ["version"]
    assert {each.rule for each in found if each.severity == "warning"} == {
        "description", "examples", "params", "timeout", "rate_limit", "retry", "wide_host", "verification", "secrets",
    }  # fmt: skip


def test_the_same_differs_in_nothing() -> None:
    found = compare_definitions(definition(), definition(version="1.0.1"), TODAY)
    assert (found.differences, found.needed, found.made, found.honest) == ([], "none", "patch", True)
    for each in BUILT_IN.values():
        assert compare_definitions(each, each, TODAY).needed == "none"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"resultSchema": {"type": "object"}},
        {"resultSchema": {"$ref": "#/$defs/A", "$defs": {"A": {"type": "array"}}}},
        {"paramSchema": forge()["methods"][0]["paramSchema"] | {"required": ["owner", "repo", "more"]}},
        {"sideEffect": "write"},
    ],
)
def test_what_takes_something_away_needs_a_major_version(changes: dict[str, Any]) -> None:
    found = compared(**changes)
    assert found.needed == "major"
    assert not found.honest
    assert found.differences[0].verdict in ("breaking", "unknown")


def test_more_methods_are_a_minor_version() -> None:
    more = [*forge()["methods"], forge()["methods"][0] | {"name": "again"}]
    found = compare_definitions(definition(), definition(methods=more, version="1.0.1"), TODAY)
    assert (found.needed, found.honest) == ("minor", False)
    assert compare_definitions(definition(), definition(methods=more, version="1.1.0"), TODAY).honest


def test_other_authentication_and_required_configuration_break() -> None:
    found = compare_definitions(definition(), definition(authType="basic", version="2.0.0"), TODAY)
    assert (found.needed, found.made, found.honest) == ("major", "major", True)
    schema = forge()["configSchema"] | {"required": ["organization", "token"]}
    found = compare_definitions(definition(), definition(configSchema=schema), TODAY)
    assert found.needed == "major" and found.differences[0].where.startswith("config")


def test_imported_methods_make_the_requests_that_the_document_means() -> None:
    """Nested forms with brackets, lists under `name[]`, a media type of its own, no body where none is given."""
    payments, _ = convert_document(described("payments"), Choice())
    fields = {"amount": 5, "expand[]": ["a", "b"], "card": {"number": "4"}, "metadata": {"k": "v"}}
    content, body = _sent(payments, "PostCharges", {"body": fields})
    assert content == "application/x-www-form-urlencoded"
    assert parse_qsl((body or b"").decode()) == [
        ("amount", "5"), ("expand[]", "a"), ("expand[]", "b"), ("card[number]", "4"), ("metadata[k]", "v"),
    ]  # fmt: skip
    cluster, _ = convert_document(described("cluster"), Choice())
    given = {"name": "a", "namespace": "b", "body": {"spec": {}}}
    assert _sent(cluster, "patchCoreV1NamespacedPod", given) == ("application/merge-patch+json", b'{"spec":{}}')
    fleet, _ = convert_document(described("fleet"), Choice())
    assert _sent(fleet, "CreateMessage", {"AccountSid": "AC" + "0" * 32}) == (None, None)


def _sent(definition: Definition, name: str, params: dict[str, Any]) -> tuple[str | None, bytes | None]:
    method = compile_definition(definition).methods[name]
    made = build_request(method, "https://a.example", checked_parameters(method, params), {}, ())
    return made.headers.get("Content-Type"), made.body
