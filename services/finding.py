"""One row by its id: found in the tenant, or missing. Another tenant's row is missing too."""

from typing import Any
from uuid import UUID

from app.errors import NotFound
from models.tenancy import TenantTable


async def find_row(table: type[TenantTable], tenant: UUID, row_id: UUID) -> dict[str, Any]:
    """All columns of the row. Raises NotFound, which says what there is none of."""
    row = await table.of(tenant).one(*table.all_columns(), where=table.id == row_id)
    if row is None:
        raise NotFound(f"There is no such {table._meta.tablename}.")
    return row
