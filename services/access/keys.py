"""The warm keys: what a key opens, kept for at most a second.

A revoked key is refused within that second in every process, without a message between them; in the
process that revoked it, at once.
"""

import asyncio
import hashlib
from collections import OrderedDict
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.auth.credentials import LONGEST, Peppers, key_id, legacy_digest, matches
from app.clock import Clock
from app.database import Database, Statement

WARM_SECONDS = 1.0
_MOST = 10_000
_FIELDS = (
    "c.id, c.tenant, c.installation, c.kid, c.label, c.digest, c.hash_alg, c.pepper_id, c.scopes, c.status, "
    "c.expires_at, c.rotated_at, i.status AS installation_status, i.rate_limit_per_minute, i.rate_limit_burst"
)
_JOIN = "FROM credential c JOIN installation i ON i.id = c.installation"
_BY_KID = Statement(f"SELECT {_FIELDS} {_JOIN} WHERE c.kid = {{kid}}")
_BY_LEGACY = Statement(f"SELECT {_FIELDS} {_JOIN} WHERE c.digest = {{digest}} AND c.hash_alg = 'sha256'")
_ORIGINS = Statement(
    "SELECT origin FROM origin WHERE installation = {installation} AND verification_status = 'verified'"
)

_SERVED = Statement(
    "SELECT 1 FROM origin o JOIN installation i ON i.id = o.installation "
    "WHERE o.origin = {origin} AND o.verification_status = 'verified' AND i.status = 'active' LIMIT 1"
)


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What a key opens, or would open were it active. Instants are ms since the epoch."""

    credential: UUID
    tenant: UUID
    installation: UUID
    kid: str
    label: str
    scopes: frozenset[str]
    status: Literal["active", "revoked", "expired"]
    expires_at: int | None
    rotated_at: int | None
    installation_status: str
    per_minute: int | None
    burst: int | None
    origins: frozenset[str]


class Unknown(msgspec.Struct, frozen=True):
    """No such key. `claimed` is the tenant and installation that its public key id belongs to, if any."""

    kid: str | None
    tenant: UUID | None = None
    installation: UUID | None = None


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


class Keys:
    """Looks keys up, with one database trip a second for each warm key however many ask at once."""

    def __init__(self, database: Database, peppers: Peppers, clock: Clock) -> None:
        self._database, self._peppers, self._clock = database, peppers, clock
        self._warm: OrderedDict[bytes, tuple[float, Opened]] = OrderedDict()
        self._asking: dict[bytes, asyncio.Future[Opened | Unknown]] = {}

    def warm(self, text: str) -> Opened | None:
        """What is known of the key without asking the database."""
        kept = self._warm.get(_mark(text))
        return kept[1] if kept is not None and self._clock.monotonic() < kept[0] else None

    def was_warm(self, text: str) -> bool:
        """Whether the key was good before, so that it is no unknown one."""
        return _mark(text) in self._warm

    def forget(self, installation: UUID) -> None:
        """Drop what is kept of an installation's keys: something about it has changed."""
        for mark in [mark for mark, (_, opened) in self._warm.items() if opened.installation == installation]:
            del self._warm[mark]

    async def open(self, text: str) -> Opened | Unknown:
        mark = _mark(text)
        if mark in self._asking:
            return await asyncio.shield(self._asking[mark])
        future = self._asking[mark] = asyncio.ensure_future(self._ask(text))
        future.add_done_callback(lambda _: self._asking.pop(mark, None))
        return await asyncio.shield(future)

    async def serves_origin(self, origin: str) -> bool:
        """Whether an active installation has verified this origin: a browser's preflight carries no key."""
        return (
            len(origin) <= LONGEST and "\x00" not in origin and bool(await self._database.fetch(_SERVED, origin=origin))
        )

    async def _ask(self, text: str) -> Opened | Unknown:
        found = await self._look_up(text)
        mark = _mark(text)
        if isinstance(found, Opened):
            while len(self._warm) >= _MOST:
                self._warm.popitem(last=False)
            self._warm[mark] = (self._clock.monotonic() + WARM_SECONDS, found)
            self._warm.move_to_end(mark)
        else:
            self._warm.pop(mark, None)
        return found

    async def _look_up(self, text: str) -> Opened | Unknown:
        if len(text) > LONGEST:
            return Unknown(None)
        kid = key_id(text)
        if kid is not None:
            rows = await self._database.fetch(_BY_KID, kid=kid)
        else:
            rows = await self._database.fetch(_BY_LEGACY, digest=legacy_digest(text))
        if not rows:
            return Unknown(kid)
        row = rows[0]
        if not matches(
            text, digest=row["digest"], algorithm=row["hash_alg"], pepper_id=row["pepper_id"], peppers=self._peppers
        ):
            return Unknown(kid, _uuid(row["tenant"]), _uuid(row["installation"]))
        return await self._opened(row)

    async def _opened(self, row: Any) -> Opened:
        origins = await self._database.fetch(_ORIGINS, installation=_uuid(row["installation"]))
        return Opened(
            credential=_uuid(row["id"]),
            tenant=_uuid(row["tenant"]),
            installation=_uuid(row["installation"]),
            kid=row["kid"],
            label=row["label"],
            scopes=frozenset(msgspec.json.decode(row["scopes"], type=list[str])),
            status=row["status"],
            expires_at=row["expires_at"],
            rotated_at=row["rotated_at"],
            installation_status=row["installation_status"],
            per_minute=row["rate_limit_per_minute"],
            burst=row["rate_limit_burst"],
            origins=frozenset(origin["origin"] for origin in origins),
        )


def _mark(text: str) -> bytes:
    # Keys themselves are not kept in memory longer than a request.
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()
