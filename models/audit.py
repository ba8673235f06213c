"""The audit history: events as they happened, and the chain that seals them. Both refuse UPDATE and DELETE.

An event is inserted in the transaction of what it tells; its place in the tenant's chain (`AuditSeal`)
is given right after the commit by one sealer, so that chaining never makes writers wait for each other.
Events may belong to no tenant (NO_TENANT), so `tenant` is no foreign key here.
"""

from piccolo.columns import UUID as UUIDColumn
from piccolo.columns import BigInt, ForeignKey, Integer, Text, Varchar
from piccolo.table import Table

from app.ids import new_id


class AuditEvent(Table, tablename="audit_event"):
    id = UUIDColumn(primary_key=True, default=new_id)
    tenant = UUIDColumn(index=True, default=new_id)
    at = BigInt()
    actor_kind = Varchar(length=16)
    actor_id = Text()
    actor_name = Text(null=True, default=None)
    kid = Varchar(length=8, null=True, default=None)
    attribution = Varchar(length=10)
    surface = Varchar(length=10)
    action = Varchar(length=60)
    resource = Varchar(length=40, null=True, default=None)
    resource_id = Text(null=True, default=None)
    installation = UUIDColumn(null=True, default=None)
    outcome = Varchar(length=8)
    code = Varchar(length=60, null=True, default=None)
    rule = Text(null=True, default=None)
    expected = Text(null=True, default=None)
    seen = Text(null=True, default=None)
    before = Text(null=True, default=None)
    after = Text(null=True, default=None)
    request_id = Varchar(length=128)
    repeats = Integer(default=1)
    entry_mac = Varchar(length=64)


class AuditSeal(Table, tablename="audit_seal"):
    """An event's place in its tenant's chain."""

    event = ForeignKey(references=AuditEvent, primary_key=True, null=False)
    tenant = UUIDColumn(default=new_id)
    seq = BigInt()
    prev = Varchar(length=64)
    mac = Varchar(length=64)


class AuditPending(Table, tablename="audit_pending"):
    """Events that wait for their seal: written with the event, gone with the seal."""

    event = UUIDColumn(primary_key=True, default=new_id)
    tenant = UUIDColumn(default=new_id)


class AuditHead(Table, tablename="audit_head"):
    """The end of a tenant's chain; its row is the lock under which the chain grows."""

    tenant = UUIDColumn(primary_key=True, default=new_id)
    seq = BigInt(default=0)
    mac = Varchar(length=64, default="")
