"""The sync of one person: read from ORCID, then stored in one transaction."""

from typing import Any
from uuid import UUID

from app.database import Statement
from app.errors import Unavailable
from services.context import Context
from services.jobs import TryAgain
from services.people.client import OrcidNotFound, OrcidRefused, OrcidUnavailable
from services.people.listing import hold_listing
from services.people.records import RecordUnreadable
from services.people.storing import store_person

_STATUS = Statement(
    "UPDATE person SET sync_status = {status}, sync_error = {error}, updated_at = {at} "
    "WHERE tenant = {tenant} AND id = {person}"
)


async def _mark(context: Context, person: UUID, status: str, error: str | None = None) -> None:
    await context.database.execute(
        _STATUS, tenant=context.tenant, person=person, status=status, error=error, at=context.now
    )


async def run_sync(context: Context, subject: str, payload: dict[str, Any]) -> None:
    """Job handler. A person that ORCID does not know is `failed` with the reason, and stays."""
    person, orcid_id = UUID(subject), str(payload["orcid_id"])
    await _mark(context, person, "processing")
    client = context.runtime.orcid
    try:
        record = await client.fetch_person(orcid_id)
        works = await client.fetch_works(orcid_id)
    except OrcidUnavailable as error:
        await _mark(context, person, "failed", str(error))
        raise TryAgain(str(error)) from error
    except (OrcidNotFound, OrcidRefused, RecordUnreadable) as error:
        await _failed(context, person, orcid_id, str(error))
        return

    async def store() -> None:
        await hold_listing(context.database, context.tenant)
        await store_person(context.database, context.tenant, person, record, works, context.now)
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
        await _mark(context, person, "failed", reason)
        context.note("person", person, action="person.sync_failed", after={"orcid_id": orcid_id, "reason": reason})

    await context.write(mark)
