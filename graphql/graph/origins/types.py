"""Origins as the control plane shows them."""

from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from app.auth.scopes import Scope
from graph.loaders import loader
from graph.relay import Node, id_column, register_node
from graph.request import Info
from graph.requires import operation_field
from graph.rows import column, field
from graph.scalars import DateTime
from services.context import Context
from services.installations.reading import get_installations, get_origins, list_origins
from services.origins.registry import challenge

if TYPE_CHECKING:
    from graph.installations.types import Installation


@strawberry.enum(description="Whether the owner of an origin has proved to be it.")
class VerificationStatus(StrEnum):
    PENDING = strawberry.enum_value("pending", description="The proof has not been looked for.")  # type: ignore[assignment]
    VERIFIED = strawberry.enum_value("verified", description="The proof was found.")  # type: ignore[assignment]
    FAILED = strawberry.enum_value("failed", description="The proof was looked for and not found.")  # type: ignore[assignment]
    EXPIRED = strawberry.enum_value("expired", description="The challenge ran out.")  # type: ignore[assignment]
