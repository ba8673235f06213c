"""`dovetail simulate consumer --api-version v2`: walks by cursor, increments, tombstones, 410, 304."""

from typing import Any

import pytest

from app.cli.rollout_http import Site
from app.cli.simulate_feeds import sync_carefully, sync_naively
from app.cli.simulate_walks import Consumer, Faults
from tests.cli.test_rollout import Bend, Running, Sent, bent, running
from tests.cli.test_simulate import PEOPLE, by, walked

__all__ = ["running"]
V2 = ("--api-version", "v2")


def consumer(running: Running, url: str | None = None, faults: Faults | None = None) -> Consumer:
    return Consumer(Site(url or running.url, "v2"), running.key, 4, faults or Faults())


def test_without_faults_nobody_is_dropped(running: Running) -> None:
    """Four pages, page one again with its tag, and an increment in which nothing changed."""
    code, found = walked(running, *V2, "--per-page", 4)
    naive, careful = by(found, "people", "naive"), by(found, "people", "careful")
    assert (code, found["dropped"]) == (0, {"naive": 0, "careful": 0})
    assert (naive["rows"], naive["requests"], naive["not_modified"]) == (PEOPLE, 5, 0)
    assert (careful["rows"], careful["requests"], careful["not_modified"]) == (PEOPLE, 6, 1)
    assert {row["list"] for row in found["walks"]} == {"people", "publications", "works", "projects"}


@pytest.mark.parametrize("status", [429, 503])
def test_one_injected_refusal_blanks_what_follows(running: Running, status: int) -> None:
    code, found = walked(running, *V2, "--per-page", 4, "--inject", status, "--page", 3)
    naive, careful = by(found, "people", "naive"), by(found, "people", "careful")
    assert (code, naive["rows"], naive["dropped"]) == (0, 8, PEOPLE - 8)
    assert naive["stopped"] == {"page": 3, "status": status, "code": None, "injected": True}
    assert (careful["rows"], careful["refusals"], careful["waited_seconds"]) == (PEOPLE, 1, 1)


def test_a_list_that_nobody_reads_to_its_end_fails(running: Running) -> None:
    """Both stop at the same page: how many rows follow is not known, and the exit code tells all the same."""

    def bend(sent: Sent) -> Sent:
        stop = "/people?" in sent.path and "cursor" in sent.path
        return sent._replace(status=403, body={"code": "origin_not_verified"}) if stop else sent

    with bent(running.url, bend) as url:
        code, found = walked(running, *V2, "--per-page", 4, url=url)
    assert code == 1
    assert by(found, "people", "careful")["stopped"]["code"] == "origin_not_verified"


def test_a_lost_history_is_a_full_sync(running: Running) -> None:
    """An instant that the server never gave: who knows 410 reads everything, who does not stands still."""
    careful, naive = (
        sync_carefully(consumer(running), "people", 2**53 - 1),
        sync_naively(consumer(running), "people", 2**53 - 1),
    )
    assert (len(careful.seen), careful.full_syncs, careful.stopped) == (PEOPLE, 1, None)
    assert (len(naive.seen), naive.lost_history) == (0, True)
    code, found = walked(running, *V2, "--updated-since", 2**53 - 1)
    assert code == 1
    assert found["dropped"] == {"naive": found["dropped"]["naive"], "careful": 0} and found["dropped"]["naive"] > 0


def _hide_first(gone: dict[str, Any]) -> Bend:
    """The increment says that the first row of the walk is listed no longer."""

    def bend(sent: Sent) -> Sent:
        if sent.status != 200 or "/people?" not in sent.path:
            return sent
        if "updated_since" in sent.path:
            return sent._replace(body=sent.body | {"people": [{"deleted": True, "orcid_id": gone["id"]}]})
        gone.setdefault("id", sent.body["people"][0]["orcid_id"])
        return sent

    return bend


def test_a_tombstone_takes_a_row_away(running: Running) -> None:
    gone: dict[str, Any] = {}
    with bent(running.url, _hide_first(gone)) as url:
        found = sync_carefully(consumer(running, url), "people")
    assert (len(found.seen), found.tombstones, gone["id"] in found.seen) == (PEOPLE - 1, 1, False)


def test_a_cursor_that_comes_again_ends_the_walk(running: Running) -> None:
    """A server that leads in a circle is found out, and not walked for ever."""
    kept: dict[str, Any] = {}

    def bend(sent: Sent) -> Sent:
        if sent.status == 200 and "/people?" in sent.path:
            kept.setdefault("cursor", sent.body["next_cursor"])
            return sent._replace(body=sent.body | {"next_cursor": kept["cursor"]})
        return sent

    with bent(running.url, bend) as url:
        found = sync_carefully(consumer(running, url), "people")
    assert found.stopped is not None and found.stopped["code"] == "cursor_repeated"
    assert found.requests == 3


@pytest.mark.parametrize(
    "body", [{"people": []}, {"people": [{}], "next_cursor": None, "next_updated_since": 1}, {"people": [5]}]
)
def test_what_is_no_page_stops_a_consumer(running: Running, body: Any) -> None:
    with bent(running.url, lambda sent: sent._replace(body=body) if "/people?" in sent.path else sent) as url:
        found = sync_naively(consumer(running, url), "people")
    assert found.stopped is not None and found.stopped["code"] == "not_a_page"


def test_v1_has_no_increments(running: Running) -> None:
    given = ("simulate", "consumer", "--base-url", running.url, "--api-key", "x", "--updated-since", 1)
    assert "v2" in running.cli.error(*given, exit_code=2)["message"]
