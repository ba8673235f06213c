"""What the service keeps for its own running: queued jobs and the counts of use."""

from piccolo.columns import UUID as UUIDColumn
from piccolo.columns import BigInt, Boolean, Integer, Text, Varchar
from piccolo.table import Table

from app.ids import new_id
from models.tenancy import TenantTable


class Job(TenantTable, tablename="job"):
    """One piece of queued work; `subject` is what it is about, and is queued at most once at a time."""

    kind = Varchar(length=30)
    subject = Varchar(length=60)
    payload = Text(default="{}")
    status = Varchar(length=10, index=True)
    attempts = Integer(default=0)
    run_at = BigInt()
    leased_until = BigInt(null=True, default=None)
    error = Text(null=True, default=None)
    created_at = BigInt()
    finished_at = BigInt(null=True, default=None)


class UsageCount(TenantTable, tablename="usage_count"):
    """How often an installation used an operation on a day (UTC, YYYY-MM-DD)."""

    installation = UUIDColumn(default=new_id)
    api = Varchar(length=20)
    operation = Varchar(length=60)
    day = Varchar(length=10)
    count = BigInt(default=0)


class ContractUse(TenantTable, tablename="contract_use"):
    """How often a client used an element of a contract on a day (UTC, YYYY-MM-DD); the empty element is the whole."""

    client = Varchar(length=200)
    kind = Varchar(length=20)
    api = Varchar(length=40)
    version = Varchar(length=10)
    operation = Varchar(length=200)
    element = Text()
    day = Varchar(length=10)
    count = BigInt(default=0)


class RecordingSpan(Table, tablename="recording_span"):
    """From when to when a process recorded uses; of no tenant, since it recorded those of all."""

    id = UUIDColumn(primary_key=True, default=new_id)
    started_at = BigInt()
    reached_at = BigInt()
    closed = Boolean(default=False)
    complete = Boolean(default=True)
