"""Keys that must not open anything, and installations in each state."""

from __future__ import annotations

import secrets
from typing import Any

from app.auth.credentials import ALPHABET, checksum, new_key
from models.installations import Credential
from services.credentials import revoke_credential
from services.installations import archive_installation, disable_installation, revoke_installation
from tests.world import World


def signed(body: str) -> str:
    """A key of this body with a right checksum."""
    return body + checksum(body)


def swapped(key: str) -> str:
    """The same key as the other mode's, its checksum made right again."""
    other = "dvt_test_" if key.startswith("dvt_live_") else "dvt_live_"
    return signed(other + key[9:-6])


def swapped_only(key: str) -> str:
    """The prefix swapped and nothing else: the checksum no longer fits."""
    return ("dvt_test_" if key.startswith("dvt_live_") else "dvt_live_") + key[9:]


def wrong_secret(key: str) -> str:
    secret = "".join(secrets.choice(ALPHABET) for _ in range(32))
    return signed(key[:18] + secret)


def wrong_checksum(key: str) -> str:
    return key[:-1] + ("a" if key[-1] != "a" else "b")


def unknown_kid() -> str:
    return new_key("live").text


MALFORMED = {
    "a word": "secret",
    "another prefix": "sk_live_12345678_" + "a" * 38,
    "too short": "dvt_live_12345678_" + "a" * 37,
    "too long": "dvt_live_12345678_" + "a" * 39,
    "not base62": "dvt_live_12345678_" + "a" * 37 + "-",
    "another mode": "dvt_prod_12345678_" + "a" * 38,
    "latin-1": "dvt_live_é2345678_" + "a" * 38,
    "very long": "x" * 20_000,
    "SQL": "' OR 1=1; --",
    "upper case prefix": "DVT_LIVE_12345678_" + "a" * 38,
}


async def set_credential(world: World, credential: Any, **values: Any) -> None:
    """Change a credential's row as time or another process would."""
    await Credential.of(world.tenant).update(values).where(Credential.id == credential["id"])
    world.runtime.keys.forget(credential["installation"])


async def key_in(world: World, state: str) -> str:
    """A key that is refused, and what it is refused for."""
    installation = await world.installation(verified=state != "draft")
    issued = await world.key(installation["id"])
    context, credential = world.context(), issued.credential
    if state == "revoked credential":
        await revoke_credential(context, credential["id"])
    elif state == "expired by time":
        await set_credential(world, credential, expires_at=world.runtime.clock.now_ms() - 1)
    elif state == "expired by status":
        await set_credential(world, credential, status="expired")
    elif state == "disabled":
        await disable_installation(context, installation["id"])
    elif state in ("revoked", "archived"):
        await revoke_installation(context, installation["id"])
        if state == "archived":
            await archive_installation(context, installation["id"])
    elif state == "pending":
        pending = await world.installation(verified=False)
        await world.origin(pending["id"], verified=False)
        issued = await world.key(pending["id"])
    return str(issued.secret)


#: State → the code of its refusal.
STATES = {
    "revoked credential": "inactive_installation_credential",
    "expired by time": "inactive_installation_credential",
    "expired by status": "inactive_installation_credential",
    "draft": "inactive_installation",
    "disabled": "inactive_installation",
    "revoked": "inactive_installation",
    "archived": "inactive_installation",
    "pending": "origin_not_verified",
}
