"""The caller's own tenant."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import strawberry

from graph.parts import Part
from graph.relay import Node, id_column, register_node
from graph.request import Info
from graph.requires import operation_field
from graph.rows import column
from graph.scalars import DateTime
from services.context import Context
from services.tenants import get_tenant


@strawberry.type(description="A workspace: whose rows these are.")
class Tenant(Node):
    id: strawberry.ID = id_column("Tenant")
    slug: str = column(description="The tenant's short name, as commands take it.")
    name: str = column(description="The tenant's name.")
    created_at: DateTime = column(description="When the tenant was made.")


@strawberry.type
class TenantQuery:
    @operation_field(get_tenant, Tenant)
    async def tenant(self, info: Info) -> Any:
        return await get_tenant(info.context.context)


async def _find(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    return {context.tenant: await get_tenant(context)} if context.tenant in ids else {}


register_node("Tenant", _find)

PART = Part(query=TenantQuery)
