"""The rows of the demo that saved requests name: each has the same id in every demo, unless it is taken already."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from models.installations import Credential, Installation, Origin
from models.integrations import IntegrationDefinition, IntegrationInstance
from models.tenancy import TenantTable, chosen_id

_TABLES: dict[str, type[TenantTable]] = {
    "site": Installation,
    "site_to_disable": Installation,
    "site_to_enable": Installation,
    "key_to_rotate": Credential,
    "key_to_revoke": Credential,
    "origin_to_verify": Origin,
    "instance": IntegrationInstance,
    "definition": IntegrationDefinition,
    "definition_to_review": IntegrationDefinition,
    "incoming": IntegrationInstance,
    "instance_to_connect": IntegrationInstance,
}
IDS = {name: UUID(f"019a0000-0000-7000-8000-{number:012x}") for number, name in enumerate(_TABLES, 1)}


async def is_there(name: str) -> bool:
    """Whether the row was made, in whichever tenant."""
    table = _TABLES[name]
    return await table.across_tenants("the demo's ids are the same everywhere").exists(table.id == IDS[name])


@contextmanager
def row(name: str) -> Iterator[None]:
    """Within this block the row that is made has its own id."""
    with chosen_id(_TABLES[name], IDS[name]):
        yield
