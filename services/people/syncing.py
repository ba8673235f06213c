"""The sync of one person: read from ORCID, then stored in one transaction."""

from typing import Any
from uuid import UUID

from app.errors import Unavailable
from services.changes import hold_listing
from services.context import Context
from services.jobs import TryAgain
from services.people.client import OrcidNotFound, OrcidRefused, OrcidUnavailable
from services.people.records import RecordUnreadable
from services.people.storing import mark_sync, store_person


async def run_sync(context: Context, subject: str, payload: dict[str, Any]) -> None:
    """Job handler. A person that ORCID does not know is `failed` with the reason, and stays."""
    person, orcid_id = UUID(subject), str(payload["orcid_id"])
    await mark_sync(context, person, "processing")
    client = context.runtime.orcid
    try:
        record = await client.fetch_person(orcid_id)
        works = await client.fetch_works(orcid_id)
    except OrcidUnavailable as error:
        await mark_sync(context, person, "failed", str(error))
        raise TryAgain(str(error)) from error
    except (OrcidNotFound, OrcidRefused, RecordUnreadable) as error:
        await _failed(context, person, orcid_id, str(error))
        return

    async def store() -> None:
        change = await hold_listing(context)
        await store_person(change, person, record, works, context.now)
        counts = {"publications": len(works.publications), "works": len(works.works), "problems": works.problems[:20]}
        context.note("person", person, action="person.synced", after={"orcid_id": orcid_id} | counts)

    try:
        await context.write(store)
    except Unavailable as error:
        raise TryAgain(str(error)) from error
    except Exception:
        await _failed(context, person, orcid_id, "What ORCID answered could not be stored.")
        raise


async def _failed(context: Context, person: UUID, orcid_id: str, reason: str) -> None:
    async def mark() -> None:
        await mark_sync(context, person, "failed", reason)
        context.note("person", person, action="person.sync_failed", after={"orcid_id": orcid_id, "reason": reason})

    await context.write(mark)
