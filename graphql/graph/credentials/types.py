"""Credentials as the control plane shows them: never with a digest, a pepper or a secret."""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import msgspec
import strawberry

from graph.edges import edge
from graph.installations_by_id import INSTALLATIONS, InstallationType
from graph.loaders import RowLoader, loader
from graph.relay import Node, id_column, register_node
from graph.request import Info
from graph.requires import operation_field
from graph.rows import column
from graph.scalars import DateTime
from services.context import Context
from services.installations.reading import get_credentials, get_installations, list_credentials

_SCOPES = msgspec.json.Decoder(list[str])


@strawberry.enum(description="Whether a key opens its installation.")
class CredentialStatus(Enum):
    ACTIVE = strawberry.enum_value("active", description="It does, until `expiresAt` where that is set.")
    REVOKED = strawberry.enum_value("revoked", description="It was revoked.")
    EXPIRED = strawberry.enum_value("expired", description="It ran out.")


@strawberry.enum(description="What a key is for; it is a part of the key's text.")
class CredentialMode(Enum):
    LIVE = strawberry.enum_value("live", description="A customer's site.")
    TEST = strawberry.enum_value("test", description="Trying things out.")


@strawberry.type(description="A key of an installation; its secret was shown once, when it was issued.")
class Credential(Node):
    id: strawberry.ID = id_column("Credential")
    kid: str = column(description="The key's public part, as logs and the audit history name it.")
    label: str = column(description="What people call it.")
    mode: CredentialMode = column(description="What it is for.")
    scopes: list[str] = column(convert=_SCOPES.decode, description="What it may read, such as `people.read`.")
    status: CredentialStatus = column(description="Whether it opens its installation.")
    created_at: DateTime = column(description="When it was issued or imported.")
    last_used_at: DateTime | None = column(description="When it was used last, to about ten seconds.")
    expires_at: DateTime | None = column(description="When it stops working; null where it does not.")
    rotated_at: DateTime | None = column(description="When a successor was issued.")
    revoked_at: DateTime | None = column(description="When it was revoked.")
    imported: bool = column(
        key="hash_alg", convert="sha256".__eq__, description="Whether it was taken over from a former system."
    )

    @operation_field(
        get_credentials,
        Annotated["Credential", strawberry.lazy("graph.credentials.types")] | None,
        description="The key that replaced it; null where none did.",
    )
    async def replaced_by(root: strawberry.Parent[Any], info: Info) -> Any:
        successor = root["replaced_by"]
        return None if successor is None else await _CREDENTIALS.load(info.context, successor)

    installation: InstallationType | None = edge(
        get_installations,
        InstallationType | None,
        INSTALLATIONS,
        key="installation",
        description="The installation that it opens.",
    )


async def _find(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    return {row["id"]: row for row in await get_credentials(context, ids)}


CREDENTIALS_OF = RowLoader(list_credentials, "installation", many=True)
_CREDENTIALS = loader(_find)
register_node("Credential", _find)
