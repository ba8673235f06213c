"""`dovetail demo`: everything is there after the first run, and nothing more after the second."""

import re
import shlex
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import msgspec
import pytest

from tests.cli.conftest import Cli

#: One to use, and two for saved requests to change.
SITES = {"Demo site": "active", "Site to disable": "active", "Site to enable": "disabled"}
MEMBERS = {"base_url", "api_key", "token", "tenant", "installation_id"}


def test_twice_is_harmless(either_cli: Cli) -> None:
    """The same key, one installation, the same people; the token is fresh."""
    first, second = either_cli.ok("demo"), either_cli.ok("demo")
    assert set(first) == MEMBERS
    assert {n: v for n, v in first.items() if n != "token"} == {n: v for n, v in second.items() if n != "token"}
    listed = either_cli.ok("installations", "list")["installations"]
    assert {row["display_name"]: row["status"] for row in listed} == SITES
    assert next(row["id"] for row in listed if row["display_name"] == "Demo site") == first["installation_id"]
    found = either_cli.ok("installations", "show", first["installation_id"])
    assert len(found["credentials"]) == 1
    assert found["credentials"][0]["scopes"] == ["people.read", "publications.read", "works.read", "projects.read"]
    people = either_cli.ok("people", "list")["people"]
    assert len(people) == 15
    assert {person["sync_status"] for person in people} == {"complete"}
    assert all(person["listed"] for person in people)


def test_the_origin_is_verified_and_left_alone(demo_cli: Cli, demo: dict[str, str]) -> None:
    """Verified through the proof itself; never re-checked, because its site is gone."""
    (origin,) = demo_cli.ok("origins", "list", demo["installation_id"])["origins"]
    assert origin["verification_status"] == "verified"
    assert "well-known" in origin["last_reason"]
    assert origin["next_check_at"] is None
    actions = [event["action"] for event in demo_cli.ok("audit", "list")["events"]]
    assert actions.count("origin.verified") == len(SITES)


@pytest.fixture
def demo(demo_cli: Cli) -> dict[str, str]:
    found = demo_cli.ok("demo")
    assert isinstance(found, dict)
    return found


def test_the_two_examples_are_as_the_contract_shows_them(demo_cli: Cli) -> None:
    ada = demo_cli.ok("people", "show", "0000-0002-1825-0097")["person"]
    joao = demo_cli.ok("people", "show", "https://orcid.org/0000-0001-2345-6789")["person"]
    assert (ada["name"], ada["biography"]) == ("Ada Lovelace", None)
    assert joao["name"] == {"en": "Joao Silva", "pt": "Joao Silva"}
    assert joao["biography"] == {"en": "Researcher in marine ecology", "pt": "Investigador em ecologia marinha"}


def test_the_key_is_kept_for_its_owner_only(demo_cli: Cli, demo: dict[str, str]) -> None:
    path = demo_cli.home / "demo.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = msgspec.json.decode(path.read_bytes())
    assert kept["api_key"] == demo["api_key"]
    assert UUID(kept["tenant"]) == UUID(demo["tenant"])


@pytest.mark.parametrize("spoiled", [b"", b"{}", b"not json", b'{"api_key": 1}'])
def test_a_spoiled_file_means_a_new_key(demo_cli: Cli, demo: dict[str, str], spoiled: bytes) -> None:
    (demo_cli.home / "demo.json").write_bytes(spoiled)
    assert demo_cli.ok("demo")["api_key"] != demo["api_key"]


def test_a_key_that_no_longer_opens_is_replaced(demo_cli: Cli, demo: dict[str, str]) -> None:
    (key,) = demo_cli.ok("installations", "show", demo["installation_id"])["credentials"]
    demo_cli.ok("credentials", "revoke", key["id"])
    second = demo_cli.ok("demo")
    assert second["installation_id"] == demo["installation_id"]
    assert second["api_key"] != demo["api_key"]
    assert demo_cli.ok("demo")["api_key"] == second["api_key"]


def test_what_was_done_to_the_installation_is_repaired(demo_cli: Cli, demo: dict[str, str]) -> None:
    """Disabled: enabled. Its origin removed: proved again. Revoked: another is made."""
    site = demo["installation_id"]
    demo_cli.ok("installations", "disable", site)
    assert demo_cli.ok("demo")["installation_id"] == site
    assert demo_cli.ok("installations", "show", site)["installation"]["status"] == "active"
    (origin,) = demo_cli.ok("origins", "list", site)["origins"]
    demo_cli.ok("origins", "remove", origin["id"])
    assert demo_cli.ok("demo")["installation_id"] == site
    assert demo_cli.ok("installations", "show", site)["installation"]["status"] == "active"
    demo_cli.ok("installations", "revoke", site)
    again = demo_cli.ok("demo")
    assert again["installation_id"] != site
    assert again["api_key"] != demo["api_key"]


def test_two_at_once_make_one(cli: Cli) -> None:
    """Two starters in one home folder end with the same key and one installation."""

    def run(_: int) -> str:
        process = cli.start("demo", "--json")
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return str(msgspec.json.decode(out)["api_key"])

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(run, range(3)))) == 1
    assert len(cli.ok("installations", "list")["installations"]) == len(SITES)


def test_text_names_four_things_to_try(demo_cli: Cli) -> None:
    """The command is named so that a shell finds it, also where no folder of it is in the PATH."""
    text = demo_cli("demo").stdout
    command = re.search(r"4\. (.+) people list --tenant demo", text)
    assert command is not None and shutil.which(shlex.split(command[1])[0]) is not None
    assert "curl -H 'X-API-Key: dvt_live_" in text
    assert "/graphql" in text
