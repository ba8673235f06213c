"""Changes of the pepper ring, each with its audit event."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.auth.peppers import ring_path
from app.auth.principal import NO_TENANT
from app.cli.sessions import context_for
from services.keyring import ring
from services.keyring.uses import pepper_uses

if TYPE_CHECKING:
    from services.runtime import Runtime


async def add(runtime: "Runtime") -> str:
    """Add a current pepper; an id that a credential was hashed under is not given again."""
    uses = await pepper_uses(runtime.database, {}, "", runtime.clock.now_ms())
    name = ring.add_pepper(ring_path(runtime.settings), [use.pepper for use in uses if use.pepper is not None])
    await _record(runtime, NO_TENANT, "pepper.added", name, {"current": name})
    return name


async def drop(runtime: "Runtime", name: str, stopped: Sequence[Mapping[str, Any]]) -> None:
    """Retire a pepper; a tenant whose keys stop with it finds that in its own history."""
    ring.drop_pepper(ring_path(runtime.settings), name)
    await _record(runtime, NO_TENANT, "pepper.retired", name, {"stopped": len(stopped)})
    for tenant in Counter(row["tenant"] for row in stopped):
        ids = [str(row["id"]) for row in stopped if row["tenant"] == tenant]
        await _record(runtime, tenant, "pepper.retired", name, {"stopped": len(ids), "credentials": ids[:100]})


async def _record(runtime: "Runtime", tenant: UUID, action: str, name: str, after: dict[str, Any]) -> None:
    context = context_for(runtime, tenant)

    async def note() -> None:
        context.note("pepper", name, action=action, after=after)

    await context.write(note)
