"""`dovetail simulate consumer`: what a plugin loses that stops at the first refusal, and what a careful one does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.rollout_http import Site
from app.cli.simulate_walks import Consumer, Faults, walk_carefully, walk_naively
from tests.claims import free_port
from tests.cli.conftest import Cli
from tests.cli.test_rollout import Running, Sent, bent, running

__all__ = ["running"]
PEOPLE = 15


def walked(running: Running, *options: Any, url: str | None = None, key: str | None = None) -> tuple[int, Any]:
    result = running.cli(
        "simulate", "consumer", "--base-url", url or running.url, "--api-key", key or running.key, "--json", *options
    )
    return result.exit_code, json.loads(result.stdout)


def by(found: Any, name: str, who: str) -> Any:
    (row,) = (row for row in found["walks"] if (row["list"], row["consumer"]) == (name, who))
    return row


def test_without_faults_nobody_is_dropped(running: Running) -> None:
    code, found = walked(running, "--per-page", 4)
    assert (code, found["dropped"]) == (0, {"naive": 0, "careful": 0})
    assert by(found, "people", "naive")["rows"] == PEOPLE
    assert by(found, "people", "naive")["requests"] == 4
    assert by(found, "publications", "careful")["stopped"] is None


@pytest.mark.parametrize("status", [429, 503])
def test_one_injected_refusal_blanks_what_follows(running: Running, status: int) -> None:
    """At page 3 of 4: the naive consumer keeps two pages; the careful one waits and sees everybody."""
    code, found = walked(running, "--per-page", 4, "--inject", status, "--page", 3)
    naive, careful = by(found, "people", "naive"), by(found, "people", "careful")
    assert (naive["rows"], naive["dropped"]) == (8, PEOPLE - 8)
    assert naive["stopped"] == {"page": 3, "status": status, "code": None, "injected": True}
    assert (careful["rows"], careful["dropped"], careful["refusals"], careful["waited_seconds"]) == (PEOPLE, 0, 1, 1)
    assert code == 0


def test_a_share_of_all_pages(running: Running) -> None:
    """All of them: nobody is left. None of them: nobody is dropped. The same seed makes the same faults."""
    every = walked(running, "--per-page", 4, "--inject", "429,503", "--share", 1)[1]
    assert by(every, "people", "naive")["dropped"] == PEOPLE
    assert by(every, "people", "careful")["dropped"] == 0
    assert walked(running, "--inject", "429", "--share", 0)[1]["dropped"]["naive"] == 0
    some = ("--per-page", 1, "--inject", "429,503", "--share", 0.3, "--seed", 4)
    assert walked(running, *some) == walked(running, *some)


def test_a_server_that_refuses_in_mid_walk_fails(running: Running) -> None:
    """What the command is for: no injection, and the server itself blanks a site."""

    def bend(sent: Sent) -> Sent:
        return (
            sent._replace(status=403, body={"code": "origin_not_verified"}) if "/people?page=3&" in sent.path else sent
        )

    with bent(running.url, bend) as url:
        code, found = walked(running, "--per-page", 4, url=url)
        result = running.cli("simulate", "consumer", "--base-url", url, "--api-key", running.key, "--per-page", 4)
    assert code == 1
    assert by(found, "people", "naive")["dropped"] == PEOPLE - 8
    assert "page 3: 403 origin_not_verified" in result.stdout
    assert f"would have dropped {PEOPLE - 8} rows" in result.stdout


def test_the_careful_one_waits_as_it_is_told(running: Running) -> None:
    """`Retry-After` to the second; and a page that is never given ends the walk after six tries."""
    left = {"refusals": 2}

    def bend(sent: Sent) -> Sent:
        if "page=2&" not in sent.path or left["refusals"] == 0:
            return sent
        left["refusals"] -= 1
        return sent._replace(status=429, headers=sent.headers | {"retry-after": "7"}, body={})

    waits: list[float] = []
    with bent(running.url, bend) as url:
        consumer = Consumer(Site(url), running.key, 4, Faults())
        assert len(walk_carefully(consumer, "people", waits.append).seen) == PEOPLE
        assert waits == [7, 7]
        left["refusals"] = 100
        given_up = walk_carefully(consumer, "people", waits.append)
        assert (len(given_up.seen), given_up.refusals) == (4, 6)
        assert walk_naively(consumer, "people").stopped is not None


def test_a_list_that_the_key_may_not_read_is_left_out(running: Running) -> None:
    installation = running.cli.ok("installations", "list")["installations"][0]["id"]
    made = running.cli.ok("credentials", "issue", installation, "--label", "narrow", "--scope", "people.read")
    code, found = walked(running, key=made["api_key"])
    assert code == 0
    assert {row["list"] for row in found["walks"]} == {"people"}


def test_what_cannot_begin_is_told(running: Running, cli: Cli) -> None:
    given = ("simulate", "consumer", "--base-url")
    assert cli.error(*given, f"http://127.0.0.1:{free_port()}", "--api-key", "x")["code"] == "unreachable"
    assert cli.error(*given, running.url, "--api-key", "wrong")["code"] == "key_refused"
    assert cli.error(*given, running.url, "--api-key", "x", "--inject", "200", exit_code=2)["code"] == "usage"


@pytest.fixture(scope="module")
def tight(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with a small budget: four at once, six a minute."""
    from shutil import copytree

    from tests.cli.serving import served

    home = tmp_path_factory.mktemp("tight") / "home"
    copytree(demo_home, home)
    cli = Cli(home, DOVETAIL_RATE_LIMIT_PER_MINUTE="6", DOVETAIL_RATE_LIMIT_BURST="4", DOVETAIL_LOG_LEVEL="error")
    with served(cli) as (port, _):
        yield Running(f"http://127.0.0.1:{port}", json.loads((home / "demo.json").read_bytes())["api_key"], cli)


def test_a_walk_is_not_cut_by_the_quota(tight: Running) -> None:
    """Fifteen pages on a budget of four: what was begun is let through to its end."""
    walk = walk_naively(Consumer(Site(tight.url), tight.key, 1, Faults()), "people")
    assert (len(walk.seen), walk.stopped) == (PEOPLE, None)
