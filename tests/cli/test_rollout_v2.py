"""`dovetail rollout check --api-version v2`: what the second contract promises beside the first."""

import json
from typing import Any

import pytest

from app.cli.rollout_contract import packaged_contract
from tests.cli.test_rollout import Bend, Running, Sent, bent, check, running, short

__all__ = ["running"]
V2 = ("--api-version", "v2")


def test_a_sound_server_passes(running: Running) -> None:
    """All of v2, also with the prefix at the end of the address; the version is v2's own."""
    code, found = check(running, f"{running.url}/integrations/v2", *V2)
    assert (code, short(found), found["ok"]) == (0, {}, True)
    assert found["version"] == packaged_contract("v2").version != packaged_contract("v1").version
    names = [each["check"] for each in found["checks"]]
    assert "GET /people/{orcid_id} has its documented shape" in names
    assert "what changed since the last walk can be asked for" in names


def test_a_missing_scope_is_a_documented_answer(running: Running) -> None:
    """The scope that is missing stands in the problem itself."""
    installation = running.cli.ok("installations", "list")["installations"][0]["id"]
    made = running.cli.ok("credentials", "issue", installation, "--label", "narrow", "--scope", "people.read")
    code, found = check(running, None, *V2, key=made["api_key"])
    assert (code, short(found)) == (0, {})


def _at(part: str, **changed: Any) -> Bend:
    """Answers to paths that hold `part` have another status, headers or members."""

    def bend(sent: Sent) -> Sent:
        if f"/integrations/v2{part}" not in sent.path:
            return sent
        headers = {name: value for name, value in (sent.headers | changed.get("headers", {})).items() if value}
        body = sent.body | changed["body"] if "body" in changed and isinstance(sent.body, dict) else sent.body
        return Sent(sent.path, changed.get("status", sent.status), headers, body)

    return bend


BENDS: dict[str, tuple[Bend, str, str]] = {
    "form of refusals": (
        _at("/no-such", headers={"content-type": "application/json"}),
        "an unknown route is refused in the contract's form",
        "application/json and not application/problem+json",
    ),
    "lenient cursor": (
        _at("/people?q=a&cursor", status=200),
        "a cursor leads to the next page, and to no other list",
        "expected 400 invalid_query_parameters",
    ),
    "no instant": (
        _at("/works?q=", body={"next_updated_since": None}),
        "what changed since the last walk can be asked for",
        "has no next_updated_since",
    ),
    "no full sync": (
        _at("/people?updated_since=9007199254740991", status=200),
        "an instant that was never given needs a full sync",
        "expected 410 full_sync_required",
    ),
    "weak tag": (
        _at("/installation", headers={"etag": 'W/"x"'}),
        "an answer that is the same is not sent again",
        'ETag is W/"x"',
    ),
    "always anew": (
        lambda sent: sent._replace(status=200) if sent.status == 304 else sent,
        "an answer that is the same is not sent again",
        "expected 304",
    ),
    "lenient query": (
        _at("/people?updated_sinse", status=200),
        "a parameter that is not known is refused",
        "expected 400 invalid_query_parameters",
    ),
    "bad iD": (
        lambda sent: sent._replace(body={"person": sent.body["person"] | {"orcid_id": 5}})
        if sent.status == 200 and "/people/" in sent.path and "person" in sent.body else sent,
        "GET /people/{orcid_id} has its documented shape",
        "$.person.orcid_id is 5 and not of type string",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BENDS)
def test_what_falls_short_is_named(running: Running, name: str) -> None:
    """Each fault is found by its own check, with what was seen and what was expected."""
    bend, failing, text = BENDS[name]
    with bent(running.url, bend) as url:
        code, found = check(running, url, *V2)
    assert code == 1
    assert text in short(found)[failing]


def test_the_same_row_on_two_pages_is_found(running: Running) -> None:
    """A server that passes the cursor over begins anew with every page."""
    first: dict[str, Any] = {}

    def bend(sent: Sent) -> Sent:
        if sent.path.endswith("/people?limit=1"):
            first["body"] = sent.body
        return sent._replace(body=first["body"]) if "/people?limit=1&cursor" in sent.path else sent

    with bent(running.url, bend) as url:
        told = short(check(running, url, *V2)[1])
    assert "the same row as on the page before" in told["a cursor leads to the next page, and to no other list"]


def test_the_previous_contract_must_hold(running: Running, tmp_path: Any) -> None:
    """A code that a former v2 had is missed."""
    document = json.loads(json.dumps(packaged_contract("v2").document))
    document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].append("teapot")
    path = tmp_path / "previous.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    code, found = check(running, None, *V2, "--previous", path)
    assert code == 1
    assert short(found) == {"the previous contract still holds": "the error code teapot is gone"}
