"""Installations of plugins, the origins they run on, and the keys they present. Instants are ms since the epoch."""

from piccolo.columns import UUID as UUIDColumn
from piccolo.columns import BigInt, ForeignKey, Integer, Text, Varchar
from piccolo.columns.base import OnDelete

from models.tenancy import TenantTable


class Installation(TenantTable, tablename="installation"):
    """One plugin on one customer's site; `status` follows the lifecycle in services.installations."""

    platform = Varchar(length=20)
    status = Varchar(length=24, index=True)
    display_name = Varchar(length=200)
    description = Text(null=True, default=None)
    rate_limit_per_minute = Integer(null=True, default=None)
    rate_limit_burst = Integer(null=True, default=None)
    created_at = BigInt()
    updated_at = BigInt()
    version = Integer(default=1)


class Origin(TenantTable, tablename="origin"):
    """A web origin (RFC 6454) of an installation, and the state of its proof."""

    installation = ForeignKey(references=Installation, index=True, null=False, on_delete=OnDelete.cascade)
    origin = Varchar(length=300)
    verification_status = Varchar(length=16)
    method = Varchar(length=20)
    callback_path = Varchar(length=500, null=True, default=None)
    token = Varchar(length=64)
    token_expires_at = BigInt()
    verified_at = BigInt(null=True, default=None)
    last_checked_at = BigInt(null=True, default=None)
    last_reason = Text(null=True, default=None)
    health = Varchar(length=12, default="ok")
    misses = Integer(default=0)
    grace_until = BigInt(null=True, default=None)
    next_check_at = BigInt(null=True, default=None, index=True)
    created_at = BigInt()


class Credential(TenantTable, tablename="credential"):
    """A key of an installation; only its digest is stored."""

    installation = ForeignKey(references=Installation, index=True, null=False, on_delete=OnDelete.cascade)
    label = Varchar(length=100)
    kid = Varchar(length=8, unique=True, index=True)
    mode = Varchar(length=8)
    digest = Varchar(length=64, index=True)
    hash_alg = Varchar(length=16)
    pepper_id = Varchar(length=40, null=True, default=None)
    scopes = Text()
    status = Varchar(length=12)
    created_at = BigInt()
    last_used_at = BigInt(null=True, default=None)
    expires_at = BigInt(null=True, default=None, index=True)
    rotated_at = BigInt(null=True, default=None)
    replaced_by = UUIDColumn(null=True, default=None)
    revoked_at = BigInt(null=True, default=None)
