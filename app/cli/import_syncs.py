"""Waiting for the syncs that an import has queued, and running them in this process meanwhile."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.cli.import_display import Display

if TYPE_CHECKING:
    from services.context import Context

_CHUNK = 200
_PAUSE_SECONDS = 0.5
_WAITING = ("pending", "processing")
_GIVEN_UP = "The sync was given up; the log of the process that ran it says why."


async def run_syncs(context: "Context", people: list[UUID], display: Display) -> dict[str, Any]:
    """Run due jobs until none of these people waits; how many are complete and who failed, with the reason.

    A sync that ORCID did not answer is failed for now; the server tries it again later.
    """
    display.begin("syncing", len(people))
    while True:
        if ran := await context.runtime.jobs.run_due():
            display.advance(ran)
        elif await _unfinished(context, people):
            # Another process has them, or died with them: its lease runs out within minutes.
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            break
    rows = await _rows(context, people)
    counts = Counter(row["sync_status"] for row in rows)
    failed = [
        {"orcid_id": row["orcid_id"], "reason": row["sync_error"] if row["sync_status"] == "failed" else _GIVEN_UP}
        for row in rows
        if row["sync_status"] in ("failed", *_WAITING)
    ]
    return {"complete": counts["complete"], "failed": len(failed), "failures": failed}


async def _unfinished(context: "Context", people: list[UUID]) -> bool:
    """Whether a person waits whose job is still to be run: one that was given up leaves the person as it was."""
    from services.jobs import any_unfinished
    from services.people.importing import SYNC

    waiting = [str(row["id"]) for row in await _rows(context, people) if row["sync_status"] in _WAITING]
    return bool(waiting) and await any_unfinished(context, SYNC, waiting)


async def _rows(context: "Context", people: list[UUID]) -> list[Any]:
    from services.people.reading import get_people

    rows: list[Any] = []
    for start in range(0, len(people), _CHUNK):
        rows += await get_people(context, people[start : start + _CHUNK])
    return rows
