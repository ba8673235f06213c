"""The rows of circuits in the database: found, opened, claimed for a probe, and settled by it."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from app.database import Database, Row, Statement
from app.ids import new_id
from services.integrations.execution.windows import Window

_COLUMNS = "id, state, successes, openings, opened_at, open_until, probe_owner, probe_until, version"
_FIND = Statement(
    f"SELECT {_COLUMNS} FROM integration_circuit WHERE instance = {{instance}} AND host = {{host}}"  # noqa: S608 - own words
)
_OPEN = Statement(
    'INSERT INTO integration_circuit (id, tenant, instance, host, state, "window", consecutive_failures, successes, '
    "openings, opened_at, open_until, updated_at, version) SELECT {id}, {tenant}, {instance}, {host}, 'open', "
    "{window}, {failures}, 0, 1, {now}, {until}, {now}, 1 "
    "WHERE EXISTS (SELECT 1 FROM integration_instance WHERE id = {instance}) "
    'ON CONFLICT (instance, host) DO UPDATE SET state = \'open\', "window" = excluded."window", '
    "consecutive_failures = excluded.consecutive_failures, successes = 0, openings = 1, "
    "opened_at = excluded.opened_at, open_until = excluded.open_until, updated_at = excluded.updated_at, "
    "version = integration_circuit.version + 1 WHERE integration_circuit.state = 'closed'"
)
_CLAIM = Statement(
    "UPDATE integration_circuit SET state = 'half_open', probe_owner = {owner}, probe_until = {until}, "
    "version = version + 1, updated_at = {now} WHERE id = {id} AND version = {version}"
)
_SETTLE = Statement(
    "UPDATE integration_circuit SET state = {state}, successes = {successes}, openings = {openings}, "
    "opened_at = {opened_at}, open_until = {open_until}, probe_owner = NULL, probe_until = NULL, "
    "version = version + 1, updated_at = {now} WHERE id = {id} AND probe_owner = {owner}"
)


class Upstream(NamedTuple):
    """Whose circuit it is."""

    tenant: UUID
    instance: UUID
    host: str


class CircuitRows:
    """Each write says whether it was this process's to make; instants are milliseconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, upstream: Upstream) -> Row | None:
        rows = await self._database.fetch(_FIND, instance=upstream.instance, host=upstream.host)
        return rows[0] if rows else None

    async def open(self, upstream: Upstream, window: Window, now: int, until: int) -> bool:
        """Open a circuit that is closed, or that never opened; not where the instance is gone."""
        return bool(
            await self._database.execute(
                _OPEN,
                id=new_id(),
                tenant=upstream.tenant,
                instance=upstream.instance,
                host=upstream.host,
                window=window.stored,
                failures=window.in_a_row,
                now=now,
                until=until,
            )
        )

    async def claim(self, row: Mapping[str, Any], owner: str, now: int, until: int) -> bool:
        """Take the one place of a probe, by a compare-and-swap."""
        given = {"owner": owner, "until": until, "now": now, "id": row["id"], "version": row["version"]}
        return bool(await self._database.execute(_CLAIM, **given))

    async def settle(self, row: Mapping[str, Any], owner: str, now: int, settled: Mapping[str, Any]) -> bool:
        """Write what the probe of this owner found; not where its place was lost meanwhile."""
        return bool(await self._database.execute(_SETTLE, now=now, id=row["id"], owner=owner, **settled))
