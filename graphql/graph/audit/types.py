"""Events of the audit history, decisions, and what a look through the chain found."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import strawberry

from graph.audit.enums import ActorKind, Attribution, AuditOutcome, AuditSurface
from graph.installations_by_id import INSTALLATIONS, InstallationType
from graph.relay import Node, id_column, register_node
from graph.request import Info
from graph.requires import operation_field
from graph.rows import column, field, json_text
from graph.scalars import JSON, BigInt, DateTime
from services.audit import get_audit_events
from services.context import Context
from services.installations.reading import get_installations


@strawberry.type(description="Who acted.")
class AuditActor:
    kind: ActorKind = column(key="actor_kind", description="What kind of caller it is.")
    id: str = column(key="actor_id", description="The caller's id, at the issuer of its token where it has one.")
    name: str | None = column(key="actor_name", description="A name to show.")


@strawberry.type(description="What happened, as it was written down: who did what to what, and how it ended.")
class AuditEvent(Node):
    id: strawberry.ID = id_column("AuditEvent")
    seq: BigInt = column(description="The event's place in the tenant's chain, from 1 without a gap.")
    at: DateTime = column(description="When it happened.")
    tenant: strawberry.ID = id_column("Tenant", "tenant")
    kid: str | None = column(description="The public part of the key that was presented.")
    attribution: Attribution = column(description="Whether the actor is known or only said to be it.")
    surface: AuditSurface = column(description="Through which surface it was asked.")
    action: str = column(description="What was done or asked for, such as `credential.issued`.")
    resource: str | None = column(description="What kind of thing it was done to, such as `credential`.")
    resource_id: str | None = column(description="The id of that thing, as the database has it.")
    outcome: AuditOutcome = column(description="How it ended.")
    code: str | None = column(description="The code of the refusal.")
    rule: str | None = column(description="The rule that refused.")
    expected: str | None = column(description="What the rule expected.")
    seen: str | None = column(description="What the rule saw.")
    before: JSON | None = column(convert=json_text, description="The thing before, without secrets.")
    after: JSON | None = column(convert=json_text, description="The thing after, without secrets.")
    repeats: int = column(description="How often it happened; more than 1 where repeats were folded into one event.")
    request_id: str = column(description="The request in which it happened; `explainDecision` takes it.")
    prev: str = column(description="The mac of the event before it; empty for the first.")
    mac: str = column(description="The mac that binds it to its place and to all before it.")

    @field("Who acted.", AuditActor, cost=0)
    def actor(root: strawberry.Parent[Any]) -> Any:
        return root

    @operation_field(get_installations, InstallationType | None, description="The installation that it is about.")
    async def installation(root: strawberry.Parent[Any], info: Info) -> Any:
        return None if root["installation"] is None else await INSTALLATIONS.load(info.context, root["installation"])


@strawberry.type(description="Why a request was refused.")
class Decision:
    request_id: str = column(description="The request.")
    at: DateTime = column(description="When it was refused.")
    action: str = column(description="The kind of refusal, such as `auth.scope_denied`.")
    outcome: AuditOutcome = column(description="How it ended: DENY.")
    code: str | None = column(description="The code that the caller was told.")
    rule: str | None = column(description="The rule that refused.")
    expected: str | None = column(description="What the rule expected.")
    seen: str | None = column(description="What the rule saw.")
    surface: AuditSurface = column(description="Through which surface it was asked.")
    operation: str | None = column(key="resource_id", description="The operation that was asked for.")
    kid: str | None = column(description="The public part of the key that was presented.")

    @field("Who asked.", AuditActor, cost=0)
    def actor(root: strawberry.Parent[Any]) -> Any:
        return root

    @operation_field(get_installations, InstallationType | None, description="The installation that asked.")
    async def installation(root: strawberry.Parent[Any], info: Info) -> Any:
        return None if root["installation"] is None else await INSTALLATIONS.load(info.context, root["installation"])


@strawberry.type(description="One thing that is wrong with a chain.")
class ChainFault:
    seq: BigInt = column(description="Where.")
    kind: str = column(description="`gap`, `missing`, `edited`, `reordered`, `broken`, `anchor`, `cut` or `unsealed`.")
    text: str = column(description="What is wrong, in words.")


@strawberry.type(description="What a walk through the tenant's chain found.")
class ChainReport:
    events: BigInt = column(description="How many events were looked at.")
    head: str = column(description="The mac of the last one; empty where there is none.")
    intact: bool = column(key="faults", convert=lambda faults: not faults, description="Whether nothing is wrong.")
    faults: list[ChainFault] = column(description="Everything that is wrong, in order.")


async def _find(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    return {row["id"]: row for row in await get_audit_events(context, ids)}


register_node("AuditEvent", _find)
