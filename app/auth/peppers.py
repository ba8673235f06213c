"""The pepper ring and the audit chain's key: made at first start, or given by the settings.

`dovetail keys` rewrites the ring's file while servers run; each of them reads it again when it has changed.
"""

import base64
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from app.auth.credentials import Peppers
from app.clock import SYSTEM_CLOCK, Clock
from app.keyfiles import read_or_create
from app.settings import Settings, SettingsError

LOG = structlog.get_logger("dovetail.peppers")
#: The file is looked at this often at most, unless an id is asked for that is not in the ring.
LOOK_SECONDS = 1.0


class RingFile(msgspec.Struct):
    """`peppers.json`; each pepper is base64 of 32 bytes."""

    current: str
    ring: dict[str, str]


def new_pepper() -> str:
    """32 random bytes, as the file has them."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def rendered(current: str, ring: dict[str, str]) -> bytes:
    return json.dumps({"current": current, "ring": ring}, indent=2).encode()


def decode_secret(text: str, where: str, kind: str = "a pepper") -> bytes:
    """The 32 bytes. Raises SettingsError, saying where the text stands."""
    try:
        secret = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise SettingsError(f"{where}: {kind} is base64 of 32 bytes") from error
    if len(secret) != 32:
        raise SettingsError(f"{where}: {kind} is base64 of 32 bytes, this one has {len(secret)}")
    return secret


def ring_path(settings: Settings) -> Path:
    return settings.keys_dir / "peppers.json"


def read_ring(path: Path, first: str = "p1", kind: str = "pepper") -> RingFile:
    """The file as it is; made with one secret where it is not there. Raises SettingsError where it is no ring."""
    try:
        made = read_or_create(path, lambda: rendered(first, {first: new_pepper()}))
        file = msgspec.json.decode(made, type=RingFile)
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path} is no {kind} ring: {error}") from error
    if file.current not in file.ring:
        raise SettingsError(f"{path}: the current {kind} {file.current!r} is not in the ring")
    return file


def _peppers_of(path: Path) -> Peppers:
    file = read_ring(path)
    return Peppers(file.current, {name: decode_secret(text, str(path)) for name, text in file.ring.items()})


class _Ring(dict[str, bytes]):
    """Asked whether it has an id, it sees to it first that it is not out of date."""

    def __init__(self, found: dict[str, bytes], refresh: Callable[..., None]) -> None:
        super().__init__(found)
        self._refresh = refresh

    def __contains__(self, name: object) -> bool:
        self._refresh()
        if super().__contains__(name):
            return True
        # A pepper that another process has just added, with a key that is used within the same second.
        self._refresh(at_once=True)
        return super().__contains__(name)


class LivePeppers(Peppers, frozen=True):
    """The ring of a file that may change; a change that cannot be read is logged, and the ring stays as it was."""

    path: Path
    clock: Clock
    state: dict[str, Any]

    def digest(self, text: str, pepper_id: str | None = None) -> str:
        # `current` itself never looks: who asks for it after this call is told the pepper of this digest.
        if pepper_id is None:
            self.refresh()
        return Peppers.digest(self, text, pepper_id)

    def refresh(self, *, at_once: bool = False) -> None:
        now = self.clock.monotonic()
        if not at_once and now < self.state["next_look"]:
            return
        self.state["next_look"] = now + LOOK_SECONDS
        mark = mark_of(self.path)
        if mark is None or mark == self.state["mark"]:
            return
        self.state["mark"] = mark
        try:
            self._become(_peppers_of(self.path))
        except (SettingsError, OSError) as error:
            LOG.error("the pepper ring has changed and cannot be read", reason=str(error))

    def _become(self, found: Peppers) -> None:
        self.ring.clear()
        self.ring.update(found.ring)
        msgspec.structs.force_setattr(self, "current", found.current)
        LOG.info("the pepper ring was read again", current=found.current, peppers=sorted(found.ring))


def mark_of(path: Path) -> tuple[int, ...] | None:
    """What differs once the file is another; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def load_peppers(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> Peppers:
    """The ring from DOVETAIL_PEPPER (one pepper, id `env`) or from `peppers.json` in the keys folder."""
    if settings.pepper is not None:
        return Peppers("env", {"env": decode_secret(settings.pepper, "DOVETAIL_PEPPER")})
    path = ring_path(settings)
    # The mark first: a change between the two is then seen at the next look.
    mark = mark_of(path)
    found = _peppers_of(path)
    state = {"mark": mark, "next_look": clock.monotonic() + LOOK_SECONDS}
    live = LivePeppers(found.current, {}, path, clock, state)
    msgspec.structs.force_setattr(live, "ring", _Ring(found.ring, live.refresh))
    return live


def load_audit_key(folder: Path) -> bytes:
    """32 bytes that key the audit chain (RFC 2104)."""
    path = folder / "audit.key"
    key = read_or_create(path, lambda: secrets.token_bytes(32))
    if len(key) != 32:
        raise SettingsError(f"{path}: the key of the audit chain is 32 bytes, this file has {len(key)}")
    return key
