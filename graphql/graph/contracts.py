"""Who uses what of the contracts, and who is hit by a change of one."""

from enum import Enum
from typing import Annotated, Any, TypeAlias

import strawberry

from app.errors import ValidationFailed
from graph.parts import Part
from graph.request import Info
from graph.requires import operation_field
from graph.rows import column
from graph.scalars import BigInt, Date
from services.contracts.impact import get_contract_impact
from services.contracts.reading import ContractDocument, UnreadableDocument, read_document
from services.contracts.version_uses import list_version_uses
from services.runtime import Runtime

DAYS = 30
#: Characters of a document that is given as text; the command takes larger ones.
LONGEST = 500_000


@strawberry.enum(description="What is known of the use of what a change takes away.")
class ImpactState(Enum):
    USED = strawberry.enum_value("used", description="Somebody used it in the window.")
    NOT_SEEN = strawberry.enum_value("not_seen", description="Nobody did, and all of the window was recorded.")
    UNKNOWN = strawberry.enum_value("unknown", description="It cannot be told. Count it as used.")


@strawberry.input(description="A contract document: a committed version by its name, or the text of a document.")
class ContractSource:
    version: str | None = strawberry.field(
        default=None, description="A version of the API, such as `v1`; empty for the schema of the control plane."
    )
    text: str | None = strawberry.field(default=None, description="OpenAPI as JSON, or SDL.")


@strawberry.type(description="Who used something of a contract.")
class ContractCaller:
    client: str = column(description="The id of an installation, or the subject of a token.")
    kind: str = column(description="`installation`, `user`, `service` or `agent`.")
    name: str | None = column(description="The installation's name.")
    tenant_id: str = column(key="tenant", convert=str, description="The tenant of the caller.")
    requests: BigInt = column(description="How many requests used it.")
    last_on: Date = column(description="The last day (UTC) on which one did.")


@strawberry.type(description="What one breaking change does to whom.")
class ContractImpact:
    rule: str = column(description="The rule that finds the change, such as `parameter-removed`.")
    operation: str = column(description="The operation, type or field that changes; empty for the whole document.")
    where: str = column(description="The place of the change in its operation.")
    message: str = column(description="The change in a sentence.")
    fingerprint: str = column(description="Names the change, also in a waiver.")
    state: ImpactState = column(description="Whether somebody is hit.")
    reason: str = column(description="Why it is unknown; empty otherwise.")
    callers: list[ContractCaller] = column(description="Who is hit or may be, the most frequent first.")
    more: bool = column(description="There are more callers than these.")


@strawberry.type(description="The days that were looked at, both included, and what of them was not recorded.")
class UseWindow:
    since: Date = column(description="The first day (UTC).")
    until: Date = column(description="The last day (UTC).")
    missing: list[str] = column(description="Why uses may be missing, in sentences; empty where all were recorded.")


@strawberry.type(description="What a change of a contract does to its callers.")
class ContractImpactReport:
    api: str = column(description="The API of the base; empty where this server does not serve it.")
    version: str = column(description="The version of the base; empty for the control plane.")
    safe: bool = column(key="is_safe", description="Nobody was seen, and nothing is unknown.")
    window: UseWindow = column(description="The days that were looked at.")
    impacts: list[ContractImpact] = column(description="Each change that breaks something, or may.")


@strawberry.type(description="How much an operation of a contract was used.")
class OperationUse:
    name: str = column(description="The operation's id, or a field of the control plane such as `Query.people`.")
    requests: BigInt = column(description="How many requests there were.")
    callers: int = column(description="By how many callers.")
    last_on: Date = column(description="The last day (UTC).")


@strawberry.type(description="How much a version of a contract was used.")
class VersionUse:
    version: str = column(description="The version; empty for the control plane.")
    requests: BigInt = column(description="How many requests there were.")
    callers: int = column(description="By how many callers.")
    last_on: Date | None = column(description="The last day (UTC); null where it was not used.")
    operations: list[OperationUse] = column(description="Each operation that was used.")


@strawberry.type(description="How much the versions of an API were used.")
class VersionUsage:
    api: str = column(description="The API.")
    window: UseWindow = column(description="The days that were looked at.")
    versions: list[VersionUse] = column(description="Every version, the oldest first.")


Api: TypeAlias = Annotated[
    str, strawberry.argument(description="The API, such as `integrations` or `control-plane`.")
]  # fmt: skip
Base: TypeAlias = Annotated[
    ContractSource | None, strawberry.argument(description="What there is; the newest committed version where absent.")
]
Revision: TypeAlias = Annotated[
    ContractSource | None,
    strawberry.argument(description="What is to come; the version after the base where absent."),
]
Days: TypeAlias = Annotated[int, strawberry.argument(description="How many days to look back.")]
Everywhere: TypeAlias = Annotated[
    bool, strawberry.argument(description="The uses of all tenants, which needs the scope `tenants.admin`.")
]


def document_of(runtime: Runtime, api: str, source: ContractSource, field: str) -> ContractDocument:
    """The document that a source names. Raises ValidationFailed."""
    if (source.version is None) == (source.text is None):
        raise ValidationFailed({field: "must have either a version or a text"})
    if source.text is None:
        return runtime.contracts.find(api, source.version or "", f"{field}.version").document()
    if len(source.text) > LONGEST:
        raise ValidationFailed({f"{field}.text": f"must be at most {LONGEST} characters; use the command for more"})
    kind = runtime.contracts.versions(api)[-1].kind
    try:
        return read_document(source.text.encode("utf-8", "surrogatepass"), f"{field}.{kind}")
    except (UnreadableDocument, RecursionError) as error:
        raise ValidationFailed({f"{field}.text": f"cannot be read: {error}"}) from error


def _pair(
    runtime: Runtime, api: str, base: ContractSource | None, revision: ContractSource | None
) -> tuple[ContractDocument, ContractDocument]:
    known = [each.version for each in runtime.contracts.versions(api)]
    base = base or ContractSource(version=known[-1] if revision or len(known) < 2 else known[-2])
    if revision is None:
        later = known[known.index(base.version) + 1 :] if base.version in known else []
        if not later:
            raise ValidationFailed({"revision": "must be given: there is no version after the base"})
        revision = ContractSource(version=later[0])
    return document_of(runtime, api, base, "base"), document_of(runtime, api, revision, "revision")


def _flat(impact: Any) -> dict[str, Any]:
    finding = impact.finding
    names = ("rule", "operation", "where", "message", "fingerprint")
    told = {name: getattr(finding, name) for name in names}
    return told | {name: getattr(impact, name) for name in ("reason", "callers", "more")} | {"state": impact.state}


@strawberry.type
class ContractQuery:
    @operation_field(get_contract_impact, ContractImpactReport, cost=200)
    async def contract_impact(
        self,
        info: Info,
        api: Api,
        base: Base = None,
        revision: Revision = None,
        days: Days = DAYS,
        all_tenants: Everywhere = False,
    ) -> Any:
        context = info.context.context
        before, after = _pair(context.runtime, api, base, revision)
        report = await get_contract_impact(context, before, after, days, all_tenants=all_tenants)
        told = {name: getattr(report, name) for name in ("api", "version", "is_safe", "window")}
        return told | {"impacts": [_flat(impact) for impact in report.impacts]}

    @operation_field(list_version_uses, VersionUsage, cost=50)
    async def version_usage(self, info: Info, api: Api, days: Days = DAYS, all_tenants: Everywhere = False) -> Any:
        return await list_version_uses(info.context.context, api, days, all_tenants=all_tenants)


PART = Part(query=ContractQuery)
