"""Changes of the ring's file: whole, secret, one at a time."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.auth.peppers import read_ring
from app.errors import Conflict, NotFound
from services.keyring.ring import add_pepper, drop_pepper
from tests.architecture.code import ROOT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys" / "peppers.json"


def test_a_ring_grows_and_shrinks(path: Path) -> None:
    assert [add_pepper(path), add_pepper(path)] == ["p2", "p3"]
    file = read_ring(path)
    assert (file.current, sorted(file.ring)) == ("p3", ["p1", "p2", "p3"])
    assert len(set(file.ring.values())) == 3
    drop_pepper(path, "p1")
    assert sorted(read_ring(path).ring) == ["p2", "p3"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["peppers.json"]


def test_an_id_is_not_given_twice(path: Path) -> None:
    """Digests under a retired pepper stay in the database: another pepper of that name would be taken for theirs."""
    assert add_pepper(path, ["p7", "env", "p1"]) == "p8"


def test_the_current_pepper_stays(path: Path) -> None:
    read_ring(path)
    with pytest.raises(Conflict, match="current"):
        drop_pepper(path, "p1")
    with pytest.raises(NotFound, match="p5"):
        drop_pepper(path, "p5")


def test_a_write_that_fails_leaves_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_ring(path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("services.keyring.ring.os.fsync", full)
    with pytest.raises(OSError, match="disk full"):
        add_pepper(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["peppers.json"]


_ADD = """
import sys
from pathlib import Path
from services.keyring.ring import add_pepper
for _ in range(10):
    add_pepper(Path(sys.argv[1]))
"""


def test_processes_that_add_at_once_lose_nothing(path: Path) -> None:
    """A pepper that is lost takes every key with it."""
    read_ring(path)
    started = [subprocess.Popen([sys.executable, "-c", _ADD, str(path)], cwd=ROOT) for _ in range(4)]
    assert [process.wait(timeout=60) for process in started] == [0] * 4
    file = json.loads(path.read_bytes())
    assert sorted(file["ring"]) == sorted(f"p{number}" for number in range(1, 42))
    assert file["current"] == "p41"
