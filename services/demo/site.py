"""The demo's installation: active, because its origin was verified as any other is."""

import contextlib
from typing import Any
from uuid import UUID

from models.installations import Origin
from services.context import Context
from services.credentials import NewCredential, issue_credential
from services.demo.proof_site import proof_site
from services.demo.rows import IDS, is_there, row
from services.installations import NewInstallation, create_installation, disable_installation, enable_installation
from services.installations.reading import list_installations
from services.installations.rows import find_installation
from services.origins.registry import register_origin, verify_origin
from services.paging import KeysetRequest

NAME = "Demo site"
_SCOPE, _UNPROVED = "people.read", "https://unproved.example"
_OPEN = ("active", "disabled", "pending_verification", "draft")


async def demo_installation(context: Context) -> UUID:
    """The active installation of the demo: found, brought back, or made."""
    found = await _find(context)
    if found is None:
        request = NewInstallation(display_name=NAME, description="Made by `dovetail demo`.")
        with contextlib.nullcontext() if await is_there("site") else row("site"):
            found = await create_installation(context, request)
    if found["status"] == "disabled":
        found = await enable_installation(context, found["id"])
    if found["status"] != "active":
        await _verify_new_origin(context, found["id"])
    return UUID(str(found["id"]))


async def _find(context: Context) -> dict[str, Any] | None:
    """The installation called after the demo that is nearest to being active."""
    rows: list[dict[str, Any]] = []
    for status in _OPEN:
        page = await list_installations(context, KeysetRequest(first=100, filters={"status": status}))
        rows += [dict(row) for row in page.rows if row["display_name"] == NAME]
    return await find_installation(context.tenant, rows[0]["id"]) if rows else None


async def _verify_new_origin(context: Context, installation: UUID) -> None:
    async with proof_site() as site:
        origin = await register_origin(context, installation, site.origin)
        site.token = origin["token"]
        await verify_origin(context, origin["id"])
    # Its site is gone by now: a re-check would miss the proof, and in the end take the demo down.
    await Origin.of(context.tenant).update({"next_check_at": None}).where(Origin.id == origin["id"])


async def add_spare_sites(context: Context) -> None:
    """What saved requests change, so that they leave the demo's own site alone; what is there is not touched."""
    for name, title in (("site_to_disable", "Site to disable"), ("site_to_enable", "Site to enable")):
        if not await is_there(name):
            with row(name):
                made = await create_installation(context, NewInstallation(display_name=title))
            await _verify_new_origin(context, made["id"])
            if name == "site_to_enable":
                await disable_installation(context, made["id"])
    for name, label in (("key_to_rotate", "Key to rotate"), ("key_to_revoke", "Key to revoke")):
        if not await is_there(name):
            with row(name):
                await issue_credential(context, IDS["site_to_disable"], NewCredential(label=label, scopes=[_SCOPE]))
    if not await is_there("origin_to_verify"):
        with row("origin_to_verify"):
            await register_origin(context, IDS["site_to_disable"], _UNPROVED)
