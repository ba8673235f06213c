"""`dovetail keys`: a ring that is changed beside a running server."""

import time
import urllib.error
import urllib.request
from typing import Any

import msgspec
import pytest

from tests.cli.conftest import Cli
from tests.cli.serving import served

PEPPER = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
SCOPE = ("--scope", "people.read")


def peppers(cli: Cli) -> dict[Any, tuple[str, int]]:
    return {row["pepper"]: (row["state"], row["active"]) for row in cli.ok("keys", "list")["peppers"]}


def demo_installation(cli: Cli) -> str:
    return str(cli.ok("demo")["installation_id"])


def demo_credential(cli: Cli) -> Any:
    return cli.ok("credentials", "list", demo_installation(cli))["credentials"][0]


def with_one_key(cli: Cli) -> Cli:
    """The demo with the key of its own site alone: the other sites, whose keys are for trying out, are revoked."""
    kept = demo_installation(cli)
    for installation in cli.ok("installations", "list")["installations"]:
        if installation["id"] != kept:
            cli.ok("installations", "revoke", installation["id"])
    return cli


@pytest.fixture
def demo_cli(demo_cli: Cli) -> Cli:
    return with_one_key(demo_cli)


def test_a_rotation_from_its_beginning_to_its_end(demo_cli: Cli) -> None:
    """Add, re-issue, wait for the grace, retire; each step says what is left."""
    cli, old = demo_cli, demo_credential(demo_cli)
    assert peppers(cli) == {"p1": ("current", 1)}
    planned = cli.ok("keys", "rotate", "--dry-run")
    assert [(each["id"], each["to_do"]) for each in planned["credentials"]] == [(old["id"], "re-issue")]
    assert (planned["added"], peppers(cli)) == (None, {"p1": ("current", 1)})

    begun = cli.ok("keys", "rotate")
    assert (begun["added"], begun["current"], begun["retirable"]) == ("p2", "p2", [])
    assert [(each["id"], each["kid"], each["to_do"]) for each in begun["credentials"]] == [
        (old["id"], old["kid"], "re-issue")
    ]
    assert cli.error("keys", "rotate")["code"] == "rotation_under_way"
    assert cli.error("keys", "rotate", "--dry-run")["code"] == "rotation_under_way"

    cli.ok("credentials", "rotate", old["id"], "--grace", "1h")
    (left,) = cli.ok("keys", "rotate", "--resume")["credentials"]
    assert left["to_do"].startswith("none, ends 20")
    assert cli.error("keys", "retire", "p1")["code"] == "pepper_in_use"
    cli.ok("credentials", "revoke", old["id"])
    ended = cli.ok("keys", "rotate", "--resume")
    assert (ended["credentials"], ended["retirable"]) == ([], ["p1"])
    assert cli.ok("keys", "retire", "p1") == {"retired": "p1", "stopped": []}
    assert peppers(cli) == {"p2": ("current", 1), "p1": ("missing", 0)}
    assert cli.ok("keys", "add-pepper")["pepper"] == "p3"


def test_what_cannot_be_retired(demo_cli: Cli) -> None:
    cli = demo_cli
    assert cli.error("keys", "retire", "p9")["code"] == "not_found"
    assert cli.error("keys", "retire", "p1", "--force")["code"] == "conflict"
    cli.ok("keys", "add-pepper")
    refused = cli.error("keys", "retire", "p1")
    assert (refused["code"], refused["details"]) == ("pepper_in_use", {"credentials": 1})
    assert peppers(cli) == {"p2": ("current", 0), "p1": ("kept", 1)}


def test_force_says_what_stops(demo_cli: Cli) -> None:
    cli, old = demo_cli, demo_credential(demo_cli)
    cli.ok("keys", "add-pepper")
    result = cli("keys", "retire", "p1", "--force")
    assert result.exit_code == 0
    assert f"({old['kid']}) stops." in result.stdout
    assert "1 credentials stop working" in result.stdout
    assert peppers(cli) == {"p1": ("missing", 1), "p2": ("current", 0)}


def test_keys_that_no_longer_work_hold_nothing(demo_cli: Cli) -> None:
    """Neither an expired key, nor one of an installation that was revoked, nor an imported digest."""
    cli = demo_cli
    gone = cli.ok("installations", "create", "Gone", "--platform", "custom")["installation"]["id"]
    cli.ok("credentials", "issue", gone, "--label", "gone", *SCOPE)
    cli.ok("installations", "revoke", gone)
    cli.ok("credentials", "import", demo_installation(cli), "--label", "former", "--digest", "ab" * 32, *SCOPE)
    cli.ok("credentials", "revoke", demo_credential(cli)["id"])
    found = peppers(cli)
    assert found["p1"] == ("current", 0)
    assert found[None] == ("none needed", 1)
    assert "(imported)" in cli("keys", "list").stdout


def test_the_history_tells_of_it(demo_cli: Cli) -> None:
    """The server's own chain has each change, and a tenant whose keys stopped has it in its chain."""
    cli = demo_cli
    cli.ok("keys", "add-pepper")
    cli.ok("keys", "retire", "p1", "--force")
    told = [event for event in cli.ok("audit", "list")["events"] if event["action"].startswith("pepper.")]
    assert [(event["action"], event["resource_id"]) for event in told] == [("pepper.retired", "p1")]
    assert told[0]["actor_id"].startswith("shell:")
    verified = cli.ok("audit", "verify")
    (own,) = (chain for chain in verified["chains"] if chain["name"] == "no tenant")
    assert (own["events"], own["faults"]) == (2, [])


@pytest.mark.parametrize(
    "words", [("list",), ("add-pepper",), ("rotate",), ("rotate", "--dry-run"), ("retire", "p1", "--force")]
)
def test_a_pepper_of_the_settings_is_not_maintained_here(demo_cli: Cli, words: tuple[str, ...]) -> None:
    given = Cli(demo_cli.home, DOVETAIL_PEPPER=PEPPER)
    found = given.error("keys", *words)
    assert found["code"] == "pepper_given"
    assert "DOVETAIL_PEPPER" in found["message"]


def _status(port: int, key: str) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/integrations/v1/installation", headers={"X-API-Key": key}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _graphql(port: int, token: str, query: str, **variables: str) -> Any:
    body = msgspec.json.encode({"query": query, "variables": variables})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return msgspec.json.decode(answer.read())["data"]


def _issued_by_server(port: int, token: str) -> str:
    listed = _graphql(port, token, "{ installations(first: 1) { edges { node { id } } } }")
    made = _graphql(
        port, token,
        'mutation($i: ID!) { issueCredential(input: {installation: $i, label: "new", scopes: ["people.read"]}) '
        "{ secret errors { code } } }",
        i=listed["installations"]["edges"][0]["node"]["id"],
    )  # fmt: skip
    assert made["issueCredential"]["errors"] == []
    return str(made["issueCredential"]["secret"])


def test_a_running_server_follows(demo_cli: Cli) -> None:
    """New keys open at once, old ones go on; the server itself issues under the new pepper; a retired one stops."""
    cli = demo_cli
    demo = cli.ok("demo")
    with served(cli) as (port, _):
        assert _status(port, demo["api_key"]) == 200
        cli.ok("keys", "add-pepper")
        fresh = cli.ok("credentials", "issue", demo["installation_id"], "--label", "fresh", *SCOPE)["api_key"]
        assert _status(port, fresh) == 200
        assert _status(port, demo["api_key"]) == 200
        time.sleep(1.1)
        by_server = _issued_by_server(port, demo["token"])
        assert peppers(cli)["p2"] == ("current", 2)
        cli.ok("keys", "retire", "p1", "--force")
        time.sleep(2.2)
        assert [_status(port, key) for key in (demo["api_key"], fresh, by_server)] == [401, 200, 200]


def test_on_either_engine(either_cli: Cli) -> None:
    either_cli.ok("demo")
    cli = with_one_key(either_cli)
    assert cli.ok("keys", "rotate")["credentials"][0]["to_do"] == "re-issue"
    assert peppers(cli) == {"p1": ("kept", 1), "p2": ("current", 0)}
    cli.ok("keys", "retire", "p1", "--force")
