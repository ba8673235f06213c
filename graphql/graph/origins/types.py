"""Origins as the control plane shows them."""

from collections.abc import Mapping
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry

from app.auth.scopes import Scope
from graph.edges import edge
from graph.installations_by_id import INSTALLATIONS, InstallationType
from graph.loaders import RowLoader
from graph.relay import Node, id_column, register_node
from graph.request import Info
from graph.rows import column, field
from graph.scalars import DateTime
from services.context import Context
from services.installations.reading import get_installations, get_origins, list_origins
from services.origins.registry import challenge as challenge_of


@strawberry.enum(description="Whether the owner of an origin has proved to be it.")
class VerificationStatus(Enum):
    PENDING = strawberry.enum_value("pending", description="The proof was not looked for yet.")
    VERIFIED = strawberry.enum_value("verified", description="The proof was found.")
    FAILED = strawberry.enum_value("failed", description="The proof was looked for and not found.")
    EXPIRED = strawberry.enum_value("expired", description="The challenge ran out before it was met.")


@strawberry.enum(description="How a verified origin fares in the daily re-check.")
class OriginHealth(Enum):
    OK = strawberry.enum_value("ok", description="The proof was there, or was missed once or twice.")
    WARNING = strawberry.enum_value("warning", description="The proof was missed three times.")
    GRACE = strawberry.enum_value("grace", description="The proof is still missed; unverified when the grace ends.")


@strawberry.enum(description="How the owner of an origin proves to be it.")
class VerificationMethod(Enum):
    DNS_TXT = strawberry.enum_value("dns_txt", description="A TXT record in the DNS zone.")
    WELL_KNOWN_FILE = strawberry.enum_value("well_known_file", description="A text file below `/.well-known`.")
    META_TAG = strawberry.enum_value("meta_tag", description="A meta tag in the head of the page at `/`.")
    CALLBACK = strawberry.enum_value("callback", description="A path that answers a fresh challenge each time.")


@strawberry.type(description="What the owner of an origin publishes, and where.")
class Challenge:
    method: VerificationMethod = column(description="How it is proved.")
    where: str = column(description="The DNS name, or the address.")
    value: str = column(description="What must stand there.")
    text: str = column(description="The same as a sentence to follow.")


@strawberry.type(description="A web origin (scheme, host, port) of an installation, and the state of its proof.")
class Origin(Node):
    id: strawberry.ID = id_column("Origin")
    origin: str = column(description="The origin as RFC 6454 writes it, such as `https://example.org`.")
    method: VerificationMethod = column(description="How it is proved.")
    callback_path: str | None = column(description="The path that answers challenges; null for other methods.")
    verification_status: VerificationStatus = column(description="Whether it is proved.")
    verified_at: DateTime | None = column(description="When the proof was found first.")
    last_checked_at: DateTime | None = column(description="When the proof was looked for last.")
    last_reason: str | None = column(description="What the last look found, in words.")
    challenge_expires_at: DateTime = column(
        key="token_expires_at", description="Until when an unproved origin can be verified with this challenge."
    )
    health: OriginHealth = column(description="How the daily re-check goes.")
    misses: int = column(description="How often in a row the re-check missed the proof.")
    grace_until: DateTime | None = column(description="When the grace ends; null where there is none.")
    next_check_at: DateTime | None = column(description="When it is looked for again.")
    created_at: DateTime = column(description="When it was registered.")

    @field("What to publish; null for callers without the scope `installations.write`.", Challenge | None)
    def challenge(root: strawberry.Parent[Any], info: Info) -> Any:
        return challenge_of(root) if info.context.viewer.holds(Scope.INSTALLATIONS_WRITE) else None

    installation: InstallationType | None = edge(
        get_installations,
        InstallationType | None,
        INSTALLATIONS,
        key="installation",
        description="The installation that runs there.",
    )


async def _find(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    return {row["id"]: row for row in await get_origins(context, ids)}


ORIGINS_OF = RowLoader(list_origins, "installation", many=True)
register_node("Origin", _find)
