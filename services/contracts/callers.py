"""Who used an element of a contract within some days, from the ledger."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from app.database import Database, Statement
from models.installations import Installation
from services.contracts.touches import Touch

#: Callers of one element that are told by name.
MOST_CALLERS = 1_000
_ALL, _OF_TENANT = "", " AND tenant = {tenant}"
_HEAD = "SELECT tenant, client, kind, SUM(count) AS requests, MAX(day) AS last_on FROM contract_use WHERE api = {api} "
_TAIL = " GROUP BY tenant, client, kind ORDER BY SUM(count) DESC, tenant, client, kind LIMIT {most}"
_DAYS = "AND version = {version} AND day >= {since} AND day <= {until}"
_PLACES = {
    "exact": " AND operation = {operation} AND element = {element}",
    "prefix": " AND operation = {operation} AND substr(element, 1, {length}) = {element}",
    "anything": " AND element = ''",
}
_STATEMENTS = {
    (how, scoped): Statement(_HEAD + _DAYS + place + (_OF_TENANT if scoped else _ALL) + _TAIL)
    for how, place in _PLACES.items()
    for scoped in (True, False)
}


class Caller(NamedTuple):
    """`client` is an installation's id or a token's subject; `last_on` a day (UTC)."""

    tenant: UUID
    client: str
    kind: str
    name: str | None
    requests: int
    last_on: str


class Scope(NamedTuple):
    """Whose uses of what, and when: days YYYY-MM-DD, both included; `tenant` None means all."""

    api: str
    version: str
    since: str
    until: str
    tenant: UUID | None


class Callers:
    """Asks the ledger, each question once."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database, self._scope = database, scope
        self._asked: dict[tuple[str, str | None, str], list[Caller]] = {}

    async def of(self, touch: Touch) -> list[Caller]:
        """The most frequent first, at most MOST_CALLERS."""
        if touch.how != "without":
            return await self._rows(touch.how, touch.operation, touch.element)
        everybody = await self._rows("exact", touch.operation, "")
        senders = await self._rows("exact", touch.operation, touch.element)
        sent = {(caller.tenant, caller.client, caller.kind): caller.requests for caller in senders}
        left = [c._replace(requests=c.requests - sent.get((c.tenant, c.client, c.kind), 0)) for c in everybody]
        return [caller for caller in left if caller.requests > 0]

    async def _rows(self, how: str, operation: str | None, element: str) -> list[Caller]:
        key = how, operation, element
        if key not in self._asked:
            statement, given = self._question(how, operation, element)
            self._asked[key] = [_caller(row) for row in await self._database.fetch(statement, **given)]
        return self._asked[key]

    def _question(self, how: str, operation: str | None, element: str) -> tuple[Statement, dict[str, Any]]:
        scope = self._scope
        given: dict[str, Any] = {
            "api": scope.api, "version": scope.version, "since": scope.since, "until": scope.until,
            "most": MOST_CALLERS,
        }  # fmt: skip
        if operation is None:
            how = "anything"
        else:
            given |= {"operation": operation, "element": element}
        if how == "prefix":
            given["length"] = len(element)
        if scope.tenant is not None:
            given["tenant"] = scope.tenant
        return _STATEMENTS[how, scope.tenant is not None], given


def _caller(row: Any) -> Caller:
    tenant = UUID(str(row["tenant"]))
    return Caller(tenant, row["client"], row["kind"], None, int(row["requests"]), row["last_on"])


async def named(callers: Iterable[Caller]) -> list[Caller]:
    """With the display names of those that are installations."""
    known = list(callers)
    ids = {UUID(caller.client) for caller in known if caller.kind == "installation"}
    names: dict[str, str] = {}
    rows = Installation.across_tenants("names of callers that are told already")
    for start in range(0, len(ids), 500):
        part = sorted(ids)[start : start + 500]
        found = await rows.select(Installation.id, Installation.display_name).where(Installation.id.is_in(part))
        names |= {str(row["id"]): row["display_name"] for row in found}
    return [caller._replace(name=names.get(caller.client)) for caller in known]
