"""Tokens as rows: sealed, with the instants that say when they are refreshed, and the lease of who refreshes them."""

import random
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.auth.encryption import EncryptionKeys, Place, Sealed
from app.clock import HOUR, MINUTE, SECOND
from app.ids import new_id
from models.integrations import IntegrationToken
from services.context import Context
from services.integrations.instances.destinations import NOWHERE, check_bound
from services.integrations.oauth2.answers import Granted
from services.integrations.oauth2.clients import TIMEOUT_SECONDS

TABLE = "integration_token"
#: Longer than a request can last, so that a holder that lives has written before the lease runs out.
LEASE = int(TIMEOUT_SECONDS * SECOND) + 5 * SECOND
_AHEAD = 15 * MINUTE
_LEAST_LEFT = 5 * SECOND
#: A token from further in the future was stored before the clock was set back: what its instants say is old.
_SKEW = MINUTE
_LONGEST_PAUSE, _LONGEST_IDLE = 5 * MINUTE, HOUR
Token = dict[str, Any]


async def find_token(tenant: UUID, instance_id: UUID) -> Token | None:
    """The whole row of an instance's token, sealed as it lies."""
    table = IntegrationToken
    return await table.of(tenant).one(*table.all_columns(), where=table.instance == instance_id)


def open_token(keys: EncryptionKeys, token: Token, destinations: str | None, column: str = "access_token") -> str:
    """One of the two tokens in the clear, to be sent to these destinations.

    Raises Unreadable, and IntegrationNotAuthenticated where it was not given for them.
    """
    check_bound(token["bound_to"], destinations or NOWHERE)
    return keys.open(Sealed(token["key_id"], token[column]), Place(TABLE, token["id"], column))


def is_due(token: Token, now: int) -> bool:
    """Whether it is time to refresh: expiry less the smaller of 15 minutes and half of the lifetime."""
    return token["refresh_at"] is not None and (now >= token["refresh_at"] or now < token["obtained_at"] - _SKEW)


def is_good(token: Token, now: int) -> bool:
    """Whether the token can still be used, for as long as a request takes to get there."""
    return token["expires_at"] is None or now < token["expires_at"] - _LEAST_LEFT


def timed(asked_at: int, lifetime: int | None) -> dict[str, int | None]:
    """The instants of a token that was asked for at `asked_at`, on this side's clock."""
    if lifetime is None:
        return {"obtained_at": asked_at, "expires_at": None, "refresh_at": None}
    expires = asked_at + lifetime
    return {"obtained_at": asked_at, "expires_at": expires, "refresh_at": expires - min(_AHEAD, lifetime // 2)}


def _sealed(keys: EncryptionKeys, row_id: UUID, access: str, refresh: str | None) -> dict[str, Any]:
    """Both under one key, also where the ring is turned between the two."""
    while True:
        first = keys.seal(access, Place(TABLE, row_id, "access_token"))
        second = None if refresh is None else keys.seal(refresh, Place(TABLE, row_id, "refresh_token"))
        if second is None or second.key_id == first.key_id:
            return {"access_token": first.text, "refresh_token": second and second.text, "key_id": first.key_id}


_FREE = {"lease_owner": None, "lease_until": None}


async def replace_token(context: Context, instance_id: UUID, granted: Granted, asked_at: int, bound_to: str) -> None:
    """Put what was granted in the place of whatever the instance had; in the caller's transaction."""
    table: Any = IntegrationToken
    await context.database.lock(f"token:{instance_id}")
    there = await find_token(context.tenant, instance_id)
    row_id = new_id() if there is None else there["id"]
    values = _sealed(context.runtime.encryption, row_id, granted.access_token, granted.refresh_token)
    values |= timed(asked_at, granted.lifetime) | {"scope": granted.scope, "bound_to": bound_to, "failures": 0, **_FREE}
    if granted.refresh_token is None:
        values["refresh_at"] = None
    if there is None:
        await table.of(context.tenant).insert({"id": row_id, "instance": instance_id, **values})
    else:
        values["version"] = table.version + 1
        await table.of(context.tenant).update(values).where(table.instance == instance_id)


async def reserve_token(context: Context, instance_id: UUID, bound_to: str) -> None:
    """A row that has expired already, so that the first token of a client is fetched under a lease too.

    In the place of one for other destinations, which a call that was overtaken by a change may have left.
    """
    table: Any = IntegrationToken
    other = table.bound_to.is_null() | (table.bound_to != bound_to)
    await table.of(context.tenant).delete().where((table.instance == instance_id) & other)
    row_id = new_id()
    values = _sealed(context.runtime.encryption, row_id, "", None) | timed(0, 0)
    values |= {"bound_to": bound_to}
    inserting = IntegrationToken.of(context.tenant).insert({"id": row_id, "instance": instance_id, **values})
    await inserting.on_conflict(target=(IntegrationToken.instance,), action="DO NOTHING")


async def take_lease(tenant: UUID, token: Token, owner: str, now: int) -> bool:
    """Become the one who refreshes this version of a token, where nobody is or the lease of who was has run out.

    A lease that ends later than any can was taken before the clock was set back, and counts as run out; the clocks of
    two machines may differ by a minute, and of two waiters for the row the later may hold the earlier instant.
    """
    table: Any = IntegrationToken
    free = table.lease_owner.is_null() | (table.lease_until <= now) | (table.lease_until > now + LEASE + _SKEW)
    same = (table.id == token["id"]) & (table.version == token["version"])
    values = {"lease_owner": owner, "lease_until": now + LEASE}
    return bool(await table.of(tenant).update(values).where(same & free).returning(table.id))


async def store_refreshed(context: Context, token: Token, granted: Granted, asked_at: int) -> bool:
    """Write a refreshed token where its version is still the one that was refreshed; whether it was.

    Not where the lease is still held: who outlived theirs has the only token that works. Where no new refresh token
    came, the old one stays (RFC 6749 section 6).
    """
    table: Any = IntegrationToken
    keys, refresh = context.runtime.encryption, granted.refresh_token
    if refresh is None and token["refresh_token"] is not None:
        refresh = open_token(keys, token, token["bound_to"], "refresh_token")
    values = _sealed(keys, token["id"], granted.access_token, refresh) | timed(asked_at, granted.lifetime)
    values |= {"scope": granted.scope or token["scope"], "failures": 0, "version": token["version"] + 1, **_FREE}
    same = (table.id == token["id"]) & (table.version == token["version"])
    return bool(await table.of(context.tenant).update(values).where(same).returning(table.id))


def _pause(token: Token, now: int) -> int:
    longest = _LONGEST_PAUSE if now < token["expires_at"] else _LONGEST_IDLE
    pause: int = min(30 * SECOND * 2 ** min(token["failures"], 10), longest)
    return int(pause * random.uniform(0.8, 1.0))  # noqa: S311 - jitter


async def release_lease(tenant: UUID, token: Token, owner: str, now: int) -> bool:
    """Give a lease back after a failure; whether it was still held.

    The next try is put off, longer from failure to failure; a call whose token has ended tries all the same.
    """
    table: Any = IntegrationToken
    held_back = None if token["refresh_at"] is None else now + _pause(token, now)
    # A call finds out at its end at the latest; where it has ended already, nobody waits but who looks after it.
    due = min(held_back, token["expires_at"]) if held_back and now < token["expires_at"] else held_back
    held = (table.id == token["id"]) & (table.version == token["version"]) & (table.lease_owner == owner)
    values = {"failures": token["failures"] + 1, "refresh_at": due, **_FREE}
    return bool(await table.of(tenant).update(values).where(held).returning(table.id))


def held_tokens(keys: EncryptionKeys, token: Mapping[str, Any]) -> dict[str, str]:
    """What there is of both tokens in the clear, by kind. Raises Unreadable."""
    columns = ("access_token", "refresh_token")
    found = {
        name: open_token(keys, dict(token), token["bound_to"], name) for name in columns if token[name] is not None
    }
    return {name: text for name, text in found.items() if text}
