"""The secrets of an instance: sealed when they come in, opened for a call, and never shown."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.auth.encryption import EncryptionKeys, Place, Sealed
from app.database import Database, Statement
from app.ids import new_id
from models.integrations import IntegrationSecret, IntegrationToken
from services.context import Context

TABLE = "integration_secret"
MOST_SECRET_CHARACTERS = 65_536
_OF_INSTANCE = Statement(
    "SELECT id, name, value, key_id FROM integration_secret WHERE instance = {instance} AND tenant = {tenant}"
)


async def replace_secrets(context: Context, instance_id: UUID, values: Mapping[str, str]) -> None:
    """Put these secrets in the place of all that the instance has."""
    await forget_secrets(context.tenant, instance_id)
    keys, rows = context.runtime.encryption, []
    for name, text in values.items():
        row_id = new_id()
        sealed = keys.seal(text, Place(TABLE, row_id, "value"))
        rows.append({
            "id": row_id, "instance": instance_id, "name": name, "value": sealed.text, "key_id": sealed.key_id,
            "created_at": context.now, "updated_at": context.now,
        })  # fmt: skip
    if rows:
        await IntegrationSecret.of(context.tenant).insert(*rows)


async def forget_secrets(tenant: UUID, instance_id: UUID) -> int:
    """Delete the secrets of an instance; how many there were."""
    table: Any = IntegrationSecret
    return len(await table.of(tenant).delete().where(table.instance == instance_id).returning(table.id))


async def forget_token(tenant: UUID, instance_id: UUID) -> int:
    """Delete what an authorization server gave; whether there was anything."""
    table: Any = IntegrationToken
    return len(await table.of(tenant).delete().where(table.instance == instance_id).returning(table.id))


async def open_secrets(keys: EncryptionKeys, database: Database, tenant: UUID, instance_id: UUID) -> dict[str, str]:
    """The secrets of an instance in the clear, for the call that is about to be made. Raises Unreadable."""
    rows = await database.fetch(_OF_INSTANCE, instance=instance_id, tenant=tenant)
    return {
        row["name"]: keys.open(Sealed(row["key_id"], row["value"]), Place(TABLE, row["id"], "value")) for row in rows
    }
