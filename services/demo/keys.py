"""The demo's key, kept in the home folder so that a second run prints the same one."""

import os
import tempfile
from pathlib import Path
from uuid import UUID

import msgspec

from app.auth.scopes import CREDENTIAL_SCOPES
from services.access.keys import Opened
from services.context import Context
from services.credentials import NewCredential, issue_credential

FILE = "demo.json"


class KeptKey(msgspec.Struct, frozen=True):
    """What the file holds."""

    api_key: str
    tenant: UUID
    installation_id: UUID


async def demo_key(context: Context, installation: UUID) -> str:
    """The kept key where it still opens the installation with every scope, else a new one."""
    path = context.runtime.settings.home / FILE
    kept = _read(path)
    if kept is not None and await _opens(context, kept.api_key, installation):
        return kept.api_key
    request = NewCredential(label="Demo key", scopes=[str(scope) for scope in CREDENTIAL_SCOPES])
    issued = await issue_credential(context, installation, request)
    _write(path, KeptKey(issued.secret, context.tenant, installation))
    return issued.secret


async def _opens(context: Context, key: str, installation: UUID) -> bool:
    opened = await context.runtime.keys.open(key)
    if not isinstance(opened, Opened) or opened.installation != installation or opened.status != "active":
        return False
    lasting = opened.expires_at is None or opened.expires_at > context.now
    return lasting and opened.scopes >= {str(scope) for scope in CREDENTIAL_SCOPES}


def _read(path: Path) -> KeptKey | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeptKey)
    except (OSError, msgspec.DecodeError):
        return None


def _write(path: Path, kept: KeptKey) -> None:
    """Whole or not at all; mkstemp makes the file with mode 0600."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".demo-")
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(kept), indent=2))
    Path(temporary).replace(path)
