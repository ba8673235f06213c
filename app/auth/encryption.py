"""Secrets at rest: AES-256-GCM for each value, under a ring of keys of which one is the current one.

What is sealed is bound to its place, table|row|column: a value that is moved elsewhere does not open. The ring is read
again when its file has changed, so that `dovetail keys encryption` works beside servers.
"""

import base64
import binascii
import os
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.auth.peppers import LOOK_SECONDS, RingFile, decode_secret, mark_of, read_ring
from app.clock import SYSTEM_CLOCK, Clock
from app.settings import Settings, SettingsError

LOG = structlog.get_logger("dovetail.encryption")
_NONCE_BYTES = 12


class Place(NamedTuple):
    """Where a value lies; the additional data that it is sealed with."""

    table: str
    row: UUID
    column: str

    def bytes(self) -> bytes:
        return f"{self.table}|{self.row}|{self.column}".encode()


class Sealed(NamedTuple):
    """`text` is base64 of nonce and ciphertext; `key_id` names the key that opens it."""

    key_id: str
    text: str


class Unreadable(Exception):
    """A sealed value does not open: its key is not in the ring, or it was changed or moved."""


#: Stands as key in the rows that an operator gave up: no rotation looks at them, and no ring has such a key.
GIVEN_UP = "given-up"


class UnreadableRow(NamedTuple):
    """A row that a rotation cannot bring under another key. `why` says nothing of what is sealed."""

    table: str
    id: UUID
    tenant: UUID
    key: str
    why: str


class EncryptionKeys:
    """The ring. One that has no `path` never changes."""

    def __init__(self, current: str, keys: dict[str, bytes], path: Path | None = None, clock: Clock = SYSTEM_CLOCK):
        self.current, self.path, self._clock = current, path, clock
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._mark = None if path is None else mark_of(path)
        self._next_look = clock.monotonic() + LOOK_SECONDS

    @property
    def names(self) -> list[str]:
        return sorted(self._keys)

    def seal(self, text: str, place: Place) -> Sealed:
        """The text under the current key."""
        self.refresh()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._keys[self.current].encrypt(nonce, text.encode(), place.bytes())
        return Sealed(self.current, base64.b64encode(sealed).decode())

    def open(self, sealed: Sealed, place: Place) -> str:
        """The text again. Raises Unreadable, which says nothing of what was sealed."""
        if sealed.key_id not in self._keys:
            # Another process has just added it, and sealed with it.
            self.refresh(at_once=True)
        key = self._keys.get(sealed.key_id)
        if key is None:
            raise Unreadable(f"the ring has no key {sealed.key_id}")
        try:
            raw = base64.b64decode(sealed.text, validate=True)
            return key.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.bytes()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise Unreadable(f"{place.table}.{place.column} of row {place.row} was changed or moved") from None

    def refresh(self, *, at_once: bool = False) -> None:
        """Read the file again where it has changed; one that cannot be read is logged, and the ring stays."""
        now = self._clock.monotonic()
        if self.path is None or (not at_once and now < self._next_look):
            return
        self._next_look = now + LOOK_SECONDS
        mark = mark_of(self.path)
        if mark is None or mark == self._mark:
            return
        self._mark = mark
        try:
            current, keys = _decoded(read_keys(self.path), self.path)
        except (SettingsError, OSError) as error:
            LOG.error("the ring of encryption keys has changed and cannot be read", reason=str(error))
            return
        self.current, self._keys = current, {name: AESGCM(key) for name, key in keys.items()}
        LOG.info("the ring of encryption keys was read again", current=current, keys=self.names)


def keys_path(settings: Settings) -> Path:
    return settings.keys_dir / "encryption.json"


def read_keys(path: Path) -> RingFile:
    """The ring's file; made with one key where it is not there. Raises SettingsError where it is no ring."""
    return read_ring(path, "k1", "encryption key")


def _decoded(file: RingFile, path: Path) -> tuple[str, dict[str, bytes]]:
    return file.current, {name: decode_secret(text, str(path), "a key") for name, text in file.ring.items()}


def load_encryption_keys(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> EncryptionKeys:
    """The ring from DOVETAIL_ENCRYPTION_KEY (one key, id `env`) or from `encryption.json` in the keys folder."""
    if settings.encryption_key is not None:
        return EncryptionKeys("env", {"env": decode_secret(settings.encryption_key, "DOVETAIL_ENCRYPTION_KEY", "it")})
    path = keys_path(settings)
    return EncryptionKeys(*_decoded(read_keys(path), path), path, clock)
