"""The status of an instance as its authorization goes: each change with its event, whatever else is being changed."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from app.errors import VersionConflict
from services.context import Context
from services.integrations.instances.configs import judged_config
from services.integrations.instances.rows import compiled_of, find_instance, known_secrets, shown
from services.integrations.instances.status import change_instance, status_after

_TRIES = 5


async def write_instance(
    context: Context, instance_id: UUID, change: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """Run `change` on the instance as it is, in one transaction with its events; again where somebody came between.

    Raises VersionConflict only where somebody did each time.
    """

    async def attempt() -> dict[str, Any]:
        return await change(await find_instance(context.tenant, instance_id))

    for _ in range(_TRIES - 1):
        try:
            return await context.write(attempt)
        except VersionConflict:
            continue
    return await context.write(attempt)


async def connected(context: Context, before: Mapping[str, Any]) -> dict[str, Any]:
    """The instance now that it has a token: CONNECTED, where its configuration and its secrets are complete."""
    compiled = await compiled_of(context, before["definition"])
    secrets = await known_secrets(context, compiled, before)
    status = status_after(compiled, judged_config(context.runtime.encryption, before), secrets, token=True)
    changes: dict[str, Any] = {"status": status, "error": None}
    if status == "CONNECTED":
        changes["last_connected_at"] = context.now
    after = await change_instance(context, before, changes)
    context.note("integration_instance", before["id"], before=shown(before), after=shown(after))
    return after


async def broken(context: Context, before: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """The instance now that its authorization was refused: AUTH_ERROR, and why."""
    after = await change_instance(context, before, {"status": "AUTH_ERROR", "error": reason})
    seen = shown(after) | {"error": reason}
    context.note("integration_instance", before["id"], before=shown(before), after=seen, outcome="error")
    return after
