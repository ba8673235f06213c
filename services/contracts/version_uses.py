"""How much each version of an API is used, by how many, and until when."""

from typing import Any

import msgspec

from app.auth.scopes import Scope
from app.database import Statement
from app.errors import ScopeDenied, ValidationFailed
from services.context import Context
from services.contracts.impact import chosen_tenant
from services.contracts.windows import Window, open_window
from services.operations import operation

_TENANTS = " AND (tenant = {tenant} OR {everywhere})"
_SUMS = (
    "SUM(count) AS requests, COUNT(DISTINCT CAST(tenant AS text) || kind || client) AS callers, MAX(day) AS last_on "
    "FROM contract_use WHERE api = {api} AND day >= {since} AND day <= {until}" + _TENANTS
)
_VERSIONS = Statement(f"SELECT version, {_SUMS} AND element = '' GROUP BY version")
_OPERATIONS = Statement(
    f"SELECT version, operation AS name, {_SUMS} AND element = '' AND operation <> '' "
    "GROUP BY version, operation ORDER BY operation"
)
_ROOT_FIELDS = Statement(
    f"SELECT version, element AS name, {_SUMS} AND operation = '' AND element NOT LIKE '%(%' "
    "AND (element LIKE 'Query.%' OR element LIKE 'Mutation.%' OR element LIKE 'Subscription.%') "
    "GROUP BY version, element ORDER BY element"
)


class OperationUse(msgspec.Struct, frozen=True):
    """`last_on` is a day (UTC)."""

    name: str
    requests: int
    callers: int
    last_on: str


class VersionUse(msgspec.Struct, frozen=True):
    """A version that nobody used has no requests and no last day."""

    version: str
    requests: int
    callers: int
    last_on: str | None
    operations: list[OperationUse]


class UseReport(msgspec.Struct, frozen=True):
    api: str
    window: Window
    versions: list[VersionUse]


@operation(scope=Scope.INSTALLATIONS_READ, raises=[ValidationFailed, ScopeDenied])
async def list_version_uses(context: Context, api: str, days: int, *, all_tenants: bool = False) -> UseReport:
    """How often each version of an API was used in the last days, by how many callers, operation by operation.

    Of the caller's tenant, or of all tenants, which needs the scope of their administrators.
    """
    tenant = await chosen_tenant(context, list_version_uses, all_tenants=all_tenants)
    served = context.runtime.contracts.versions(api)
    window = await open_window(context.database, context.now, days, tenant)
    given: dict[str, Any] = {
        "api": api, "since": window.since, "until": window.until,
        "tenant": context.tenant, "everywhere": tenant is None,
    }  # fmt: skip
    sums = {row["version"]: row for row in await context.database.fetch(_VERSIONS, **given)}
    rows = [row for each in (_OPERATIONS, _ROOT_FIELDS) for row in await context.database.fetch(each, **given)]
    found = [_version(each.version, sums.get(each.version), rows) for each in served]
    return UseReport(api, window, found)


def _version(version: str, total: Any, rows: list[Any]) -> VersionUse:
    operations = [
        OperationUse(row["name"], int(row["requests"]), int(row["callers"]), row["last_on"])
        for row in rows
        if row["version"] == version
    ]
    if total is None:
        return VersionUse(version, 0, 0, None, operations)
    return VersionUse(version, int(total["requests"]), int(total["callers"]), total["last_on"], operations)
