"""The secrets of an instance: sealed when they come in, opened for a call, and never shown."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.auth.encryption import EncryptionKeys, Place, Sealed
from app.database import Database, Statement
from app.ids import new_id
from models.integrations import IntegrationSecret, IntegrationToken
from services.context import Context
from services.integrations.definitions.challenges import VERIFY_TOKEN
from services.integrations.definitions.webhooks import PREVIOUS_SECRET, SIGNING_SECRET
from services.integrations.instances.destinations import check_bound

TABLE = "integration_secret"
MOST_SECRET_CHARACTERS = 65_536
#: What comes in shows them, or is signed with them; no call carries them.
_NEVER_SENT = frozenset({SIGNING_SECRET, PREVIOUS_SECRET, VERIFY_TOKEN})
_OF_INSTANCE = Statement(
    "SELECT id, name, value, key_id, bound_to FROM integration_secret WHERE instance = {instance} AND tenant = {tenant}"
)


async def replace_secrets(context: Context, instance_id: UUID, values: Mapping[str, str], bound_to: str) -> None:
    """Put these secrets, given for the destinations `bound_to`, in the place of all that the instance has."""
    await forget_secrets(context.tenant, instance_id)
    rows = [_sealed(context, instance_id, name, text, bound_to=bound_to) for name, text in values.items()]
    if rows:
        await IntegrationSecret.of(context.tenant).insert(*rows)


async def replace_signing_secret(context: Context, instance_id: UUID, name: str, text: str, until: int | None) -> None:
    """Put a secret that no call sends in the place of the one of its name; it holds until `until` (ms), or on."""
    table: Any = IntegrationSecret
    rows = table.of(context.tenant)
    await rows.delete().where((table.instance == instance_id) & (table.name == name))
    await rows.insert(_sealed(context, instance_id, name, text, expires_at=until))


def _sealed(context: Context, instance_id: UUID, name: str, text: str, **more: Any) -> dict[str, Any]:
    row_id = new_id()
    sealed = context.runtime.encryption.seal(text, Place(TABLE, row_id, "value"))
    return {
        "id": row_id, "instance": instance_id, "name": name, "value": sealed.text, "key_id": sealed.key_id,
        "created_at": context.now, "updated_at": context.now, **more,
    }  # fmt: skip


async def forget_secrets(tenant: UUID, instance_id: UUID) -> int:
    """Delete the secrets of an instance; how many there were."""
    table: Any = IntegrationSecret
    return len(await table.of(tenant).delete().where(table.instance == instance_id).returning(table.id))


async def forget_token(tenant: UUID, instance_id: UUID) -> int:
    """Delete what an authorization server gave; whether there was anything."""
    table: Any = IntegrationToken
    return len(await table.of(tenant).delete().where(table.instance == instance_id).returning(table.id))


async def forget_sent_secrets(tenant: UUID, instance_id: UUID) -> int:
    """Delete the secrets that calls send; those that webhooks are signed with stay. How many there were."""
    table: Any = IntegrationSecret
    sent = (table.instance == instance_id) & table.name.not_in(list(_NEVER_SENT))
    return len(await table.of(tenant).delete().where(sent).returning(table.id))


async def open_secrets(
    keys: EncryptionKeys, database: Database, tenant: UUID, instance_id: UUID, destinations: str
) -> dict[str, str]:
    """The secrets of an instance in the clear, for the call that is about to be made.

    Raises Unreadable, and IntegrationNotAuthenticated where they were not given for these destinations.
    """
    rows = await database.fetch(_OF_INSTANCE, instance=instance_id, tenant=tenant)
    for row in rows:
        if row["name"] not in _NEVER_SENT:
            check_bound(row["bound_to"], destinations)
    return {
        row["name"]: keys.open(Sealed(row["key_id"], row["value"]), Place(TABLE, row["id"], "value")) for row in rows
    }
