"""The ring of a running server follows its file."""

import json
import os
from pathlib import Path

import pytest

from app.auth.credentials import Peppers, matches, new_key
from app.auth.peppers import load_peppers
from app.clock import SettableClock
from app.settings import load_settings
from services.keyring.ring import add_pepper, drop_pepper


class Ring:
    def __init__(self, home: Path) -> None:
        self.clock = SettableClock()
        self.path = home / "keys" / "peppers.json"
        # Twice: the first time makes the file.
        self.live = [load_peppers(load_settings({}, home=home), self.clock) for _ in range(2)][1]

    def later(self, seconds: float = 1.01) -> None:
        self.clock.advance(int(seconds * 1_000))

    def opens(self, key: str, digest: str, pepper: str) -> bool:
        return matches(key, digest=digest, algorithm="hmac-sha256", pepper_id=pepper, peppers=self.live)


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    return Ring(tmp_path)


def hashed(ring: Ring, key: str) -> tuple[str, str]:
    """As services.credentials does it: the digest first, then the id of its pepper."""
    digest = ring.live.digest(key)
    return digest, ring.live.current


def test_a_new_pepper_is_the_current_one_within_a_second(ring: Ring) -> None:
    key = new_key("live").text
    before = hashed(ring, key)
    assert add_pepper(ring.path) == "p2"
    assert hashed(ring, key) == before
    ring.later()
    after = hashed(ring, key)
    assert (before[1], after[1]) == ("p1", "p2")
    assert before[0] != after[0]
    assert ring.opens(key, *before) and ring.opens(key, *after)
    assert not ring.opens(key, before[0], "p2")


def test_a_digest_and_its_pepper_belong_together(ring: Ring) -> None:
    """A second may begin between the two questions: a key under the wrong id would never open."""
    key = new_key("live").text
    add_pepper(ring.path)
    ring.later(0.99)
    digest = ring.live.digest(key)
    ring.later(0.02)
    assert ring.opens(key, digest, ring.live.current)


def test_an_unknown_pepper_is_looked_for_at_once(ring: Ring, tmp_path: Path) -> None:
    """A key that another process issued under a pepper of this very second is no unknown key."""
    add_pepper(ring.path)
    other, key = Ring(tmp_path), new_key("live").text
    assert ring.opens(key, other.live.digest(key), "p2")


def test_the_file_is_looked_at_once_a_second(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []
    plain = Path.stat
    monkeypatch.setattr(Path, "stat", lambda path, **more: (looks.append(path), plain(path, **more))[1])
    key = new_key("live").text
    digest, pepper = hashed(ring, key)
    for _ in range(1_000):
        assert ring.opens(key, digest, pepper)
    assert looks == []
    ring.later()
    for _ in range(1_000):
        assert ring.opens(key, digest, pepper)
    assert looks == [ring.path]


def test_a_retired_pepper_opens_nothing(ring: Ring) -> None:
    key = new_key("live").text
    digest, pepper = hashed(ring, key)
    add_pepper(ring.path)
    drop_pepper(ring.path, pepper)
    ring.later()
    assert not ring.opens(key, digest, pepper)
    assert list(ring.live.ring) == ["p2"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"current": "p9", "ring": {}}', b"\xff"])
def test_a_broken_file_changes_nothing(ring: Ring, content: bytes) -> None:
    """Who edits the ring by hand and slips must not stop every key; the next good file is taken."""
    key = new_key("live").text
    digest, pepper = hashed(ring, key)
    good = ring.path.read_bytes()
    ring.path.write_bytes(content)
    ring.later()
    assert ring.opens(key, digest, pepper)
    ring.path.unlink()
    ring.later()
    assert ring.opens(key, digest, pepper)
    ring.path.write_bytes(good)
    add_pepper(ring.path)
    ring.later()
    assert hashed(ring, key)[1] == "p2"
    assert ring.opens(key, digest, pepper)


def test_a_change_of_the_same_size_and_time_is_seen(ring: Ring) -> None:
    """Clocks of file systems are coarse; the file that replaces another is another one all the same."""
    found = ring.path.stat()
    text = json.loads(ring.path.read_bytes())
    text["ring"]["p1"] = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
    fresh = ring.path.with_name("fresh")
    fresh.write_text(json.dumps(text, indent=2), encoding="utf-8")
    os.utime(fresh, ns=(found.st_atime_ns, found.st_mtime_ns))
    fresh.replace(ring.path)
    ring.later()
    assert "p1" in ring.live.ring
    assert ring.live.ring["p1"] == b"1" * 32


def test_the_setting_is_a_ring_that_stays(tmp_path: Path) -> None:
    given = load_settings({"DOVETAIL_PEPPER": "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="}, home=tmp_path)
    assert load_peppers(given) == Peppers("env", {"env": b"1" * 32})
    assert not (tmp_path / "keys").exists()
