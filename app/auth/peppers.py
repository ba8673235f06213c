"""The pepper ring and the audit chain's key: made at first start, or given by the settings."""

import base64
import binascii
import json
import secrets
from pathlib import Path

from app.auth.credentials import Peppers
from app.keyfiles import read_or_create
from app.settings import Settings, SettingsError


def _make_ring() -> bytes:
    pepper = base64.b64encode(secrets.token_bytes(32)).decode()
    return json.dumps({"current": "p1", "ring": {"p1": pepper}}, indent=2).encode()


def _decode(text: str, where: str) -> bytes:
    try:
        pepper = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise SettingsError(f"{where}: a pepper is base64 of 32 bytes") from error
    if len(pepper) != 32:
        raise SettingsError(f"{where}: a pepper is base64 of 32 bytes, this one has {len(pepper)}")
    return pepper


def load_peppers(settings: Settings) -> Peppers:
    """The ring from DOVETAIL_PEPPER (one pepper, id `env`) or from `peppers.json` in the keys folder."""
    if settings.pepper is not None:
        return Peppers("env", {"env": _decode(settings.pepper, "DOVETAIL_PEPPER")})
    path = settings.keys_dir / "peppers.json"
    document = json.loads(read_or_create(path, _make_ring))
    ring = {name: _decode(text, str(path)) for name, text in document["ring"].items()}
    if document["current"] not in ring:
        raise SettingsError(f"{path}: the current pepper {document['current']!r} is not in the ring")
    return Peppers(document["current"], ring)


def load_audit_key(folder: Path) -> bytes:
    """32 bytes that key the audit chain (RFC 2104)."""
    return read_or_create(folder / "audit.key", lambda: secrets.token_bytes(32))
