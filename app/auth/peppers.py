"""The pepper ring and the audit chain's key: made at first start, or given by the settings."""

import base64
import json
import secrets
from pathlib import Path

import msgspec

from app.auth.credentials import Peppers
from app.keyfiles import read_or_create
from app.settings import Settings, SettingsError


class _File(msgspec.Struct):
    """`peppers.json`; each pepper is base64 of 32 bytes."""

    current: str
    ring: dict[str, str]


def _make_ring() -> bytes:
    pepper = base64.b64encode(secrets.token_bytes(32)).decode()
    return json.dumps({"current": "p1", "ring": {"p1": pepper}}, indent=2).encode()


def _decode(text: str, where: str) -> bytes:
    try:
        pepper = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise SettingsError(f"{where}: a pepper is base64 of 32 bytes") from error
    if len(pepper) != 32:
        raise SettingsError(f"{where}: a pepper is base64 of 32 bytes, this one has {len(pepper)}")
    return pepper


def load_peppers(settings: Settings) -> Peppers:
    """The ring from DOVETAIL_PEPPER (one pepper, id `env`) or from `peppers.json` in the keys folder."""
    if settings.pepper is not None:
        return Peppers("env", {"env": _decode(settings.pepper, "DOVETAIL_PEPPER")})
    path = settings.keys_dir / "peppers.json"
    try:
        file = msgspec.json.decode(read_or_create(path, _make_ring), type=_File)
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path} is no pepper ring: {error}") from error
    ring = {name: _decode(text, str(path)) for name, text in file.ring.items()}
    if file.current not in ring:
        raise SettingsError(f"{path}: the current pepper {file.current!r} is not in the ring")
    return Peppers(file.current, ring)


def load_audit_key(folder: Path) -> bytes:
    """32 bytes that key the audit chain (RFC 2104)."""
    path = folder / "audit.key"
    key = read_or_create(path, lambda: secrets.token_bytes(32))
    if len(key) != 32:
        raise SettingsError(f"{path}: the key of the audit chain is 32 bytes, this file has {len(key)}")
    return key
