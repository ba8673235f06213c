"""Which credentials hang on which pepper. A digest cannot be made anew without its key, which nobody keeps."""

from typing import Any
from uuid import UUID

import msgspec

from app.database import Database, Statement

#: A key that opens nothing any more, whatever is done to its installation.
_WORKS = (
    "c.status = 'active' AND (c.expires_at IS NULL OR c.expires_at > {now}) AND i.status NOT IN ('revoked', 'archived')"
)
_COUNTS = Statement(
    f"SELECT c.pepper_id, count(*) AS credentials, count(CASE WHEN {_WORKS} THEN 1 END) AS active "  # noqa: S608
    "FROM credential c JOIN installation i ON i.id = c.installation GROUP BY c.pepper_id"
)
_FIELDS = (
    "c.id, c.tenant, t.slug AS tenant_slug, c.installation, i.display_name, c.label, c.kid, c.pepper_id, "
    "c.last_used_at, c.expires_at, c.rotated_at, c.replaced_by"
)
_HANGING = Statement(
    f"SELECT {_FIELDS} FROM credential c JOIN installation i ON i.id = c.installation "  # noqa: S608 - our own words
    f"JOIN tenant t ON t.id = c.tenant WHERE c.pepper_id IS NOT NULL AND {_WORKS} "
    "ORDER BY t.slug, c.installation, c.created_at, c.id"
)


class Use(msgspec.Struct, frozen=True):
    """One pepper: is it in the ring, and how many credentials need it; `pepper` None stands for imported digests."""

    pepper: str | None
    held: bool
    current: bool
    active: int
    credentials: int


async def pepper_uses(database: Database, ring: dict[str, Any], current: str, now: int) -> list[Use]:
    """Every pepper of the ring or of any credential; `now` is ms since the epoch."""
    counted = {row["pepper_id"]: (row["active"], row["credentials"]) for row in await database.fetch(_COUNTS, now=now)}
    names = [*sorted(ring), *sorted(name for name in counted if name is not None and name not in ring)]
    if None in counted:
        names.append(None)
    return [Use(name, name in ring, name == current, *counted.get(name, (0, 0))) for name in names]


async def credentials_off(database: Database, current: str, now: int) -> list[dict[str, Any]]:
    """The credentials that work and hang on a pepper other than the current one."""
    rows = await database.fetch(_HANGING, now=now)
    return [_shown(row) for row in rows if row["pepper_id"] != current]


def _shown(row: Any) -> dict[str, Any]:
    ids = {name: row[name] and UUID(str(row[name])) for name in ("id", "tenant", "installation", "replaced_by")}
    return dict(row) | ids
