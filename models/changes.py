"""When listed rows changed: the instant of each tenant's last change, and what is left of rows that are gone."""

from piccolo.columns import UUID as UUIDColumn
from piccolo.columns import BigInt, Varchar
from piccolo.table import Table

from app.ids import new_id
from models.tenancy import TenantTable


class ChangeHead(Table, tablename="change_head"):
    """The last change of a tenant; its row is the lock under which listed rows change.

    Who asks for changes since before `forgotten_at` cannot be told all that went since.
    """

    tenant = UUIDColumn(primary_key=True, default=new_id)
    changed_at = BigInt()
    forgotten_at = BigInt(default=0)


class Tombstone(TenantTable, tablename="tombstone"):
    """A row that was listed and is deleted; its id is the row's, `kind` its list."""

    kind = Varchar(length=20)
    changed_at = BigInt()
