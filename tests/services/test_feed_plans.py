"""Each page of a feed is a range of an index made for it; nothing is sorted but the page itself."""

import pytest

from app.database import Statement
from app.ids import new_id
from services import projects, publications, works
from services.feeds import _HEAD, Feed, FeedRequest, _changes, _walk
from services.people import reading
from tests.world import World

FEEDS = {
    "person": reading.FEED,
    "publication": publications.FEED,
    "work": works.FEED,
    "project": projects.FEED,
}


@pytest.mark.parametrize(("table", "feed"), FEEDS.items(), ids=FEEDS.keys())
@pytest.mark.parametrize("since", [None, 1], ids=["walk", "changes"])
async def test_a_page_is_a_range_of_its_index(table: str, feed: Feed, since: int | None, world: World) -> None:
    """On SQLite at any size; PostgreSQL would read a small table whole, so that is turned off here."""
    text, params = (_walk if since is None else _changes)(feed, FeedRequest(since=since, after=(5, new_id())))
    database = world.runtime.database
    word = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
    asked = Statement(f"{word} SELECT * FROM {_HEAD} head LEFT JOIN ({text}) found ON TRUE ORDER BY _at, _id")

    async def explain() -> str:
        if database.dialect == "postgres":
            for switch in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
                await database.execute(Statement(f"SET LOCAL {switch} = off"))
        rows = await database.fetch(asked, tenant=world.tenant, limit=101, **params)
        return "\n".join(str(row["detail"] if database.dialect == "sqlite" else row[0]) for row in rows)

    plan = await database.in_transaction(explain)
    assert f"{table}_{'walked' if since is None else 'changed'}" in plan, plan
    if feed.buried and since is not None:
        assert "tombstone_changed" in plan, plan
