"""The secrets in the home folder: who may read them, who makes them, and what is said when they are broken."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from app.auth.peppers import load_audit_key, load_peppers
from app.auth.signing import signing_key
from app.keyfiles import read_or_create
from app.settings import SettingsError, load_settings
from tests.endings import killed, next_line

ROOT = Path(__file__).parents[2]
FILES = ("peppers.json", "audit.key", "signing.json")


def read_all(home: Path) -> list[Any]:
    """Every secret, made where it is missing."""
    settings = load_settings({}, home=home)
    peppers, key = load_peppers(settings), signing_key(settings.keys_dir)
    ring = {name: pepper.hex() for name, pepper in peppers.ring.items()}
    return [peppers.current, ring, load_audit_key(settings.keys_dir).hex(), key.as_dict(private=True)]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_may_read(tmp_path: Path, umask: int) -> None:
    """Files 0600 in a folder 0700, whatever the umask is; nothing but the secrets is left behind."""
    before = os.umask(umask)
    try:
        read_all(tmp_path / "home")
    finally:
        os.umask(before)
    keys = tmp_path / "home" / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in keys.iterdir()} == dict.fromkeys(FILES, 0o600)
    assert {file.stat().st_nlink for file in keys.iterdir()} == {1}


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    """A second start finds what the first one made; two homes have nothing in common."""
    first = read_all(tmp_path / "a")
    assert read_all(tmp_path / "a") == first
    assert all(mine != other for mine, other in zip(first[1:], read_all(tmp_path / "b")[1:], strict=True))


_START = """
import json, sys, time
from pathlib import Path
from tests.auth.test_keyfiles import read_all
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(read_all(Path(sys.argv[1]))))
"""


def test_processes_that_start_together_have_the_same_secrets(tmp_path: Path) -> None:
    """Six processes let go at one moment on an empty home: one of them makes each secret, all read it."""
    command = [sys.executable, "-c", _START, str(tmp_path / "home")]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    try:
        for process in started:
            assert next_line(process) == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        found = [json.loads(process.communicate(timeout=60)[0]) for process in started]
    finally:
        for process in started:
            killed(process)
    assert found == [read_all(tmp_path / "home")] * 6
    assert sorted(file.name for file in (tmp_path / "home" / "keys").iterdir()) == sorted(FILES)


def test_a_making_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Neither an empty secret, which the next start would take for a real one, nor a temporary file."""

    def broken() -> bytes:
        raise OSError("no entropy")

    with pytest.raises(OSError, match="no entropy"):
        read_or_create(tmp_path / "keys" / "secret", broken)
    assert list((tmp_path / "keys").iterdir()) == []


def written(home: Path, name: str, content: Any) -> Path:
    path = home / "keys" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


PEPPER = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
ED25519 = OKPKey.generate_key("Ed25519")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"{",
        [],
        "text",
        {},
        {"current": "p1"},
        {"current": 1, "ring": {}},
        {"current": "p1", "ring": []},
        {"current": "p1", "ring": {"p1": 5}},
        {"current": "p1", "ring": {"p1": "é"}},
        {"current": "p1", "ring": {"p1": "not base64!"}},
        {"current": "p1", "ring": {"p1": "c2hvcnQ="}},
        {"current": "p2", "ring": {"p1": PEPPER}},
    ],
    ids=str,
)
def test_a_broken_pepper_ring_is_told(tmp_path: Path, content: Any) -> None:
    """One sentence that names the file, and nothing of a secret."""
    path = written(tmp_path, "peppers.json", content)
    with pytest.raises(SettingsError, match=r"peppers\.json") as told:
        load_peppers(load_settings({}, home=tmp_path))
    assert str(path) in str(told.value)
    assert PEPPER not in str(told.value)


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)], ids=len)
def test_a_broken_audit_key_is_told(tmp_path: Path, content: bytes) -> None:
    """An empty file would key the chain with nothing: it is refused, with its length."""
    path = written(tmp_path, "audit.key", content)
    with pytest.raises(SettingsError, match=f"audit.key.*{len(content)}"):
        load_audit_key(path.parent)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        [],
        5,
        {},
        {"kty": "RSA"},
        {"kty": "OKP", "crv": "Ed25519"},
        {"kty": "OKP", "crv": "Ed25519", "x": "!", "d": "!"},
        {"kty": "OKP", "crv": "Nowhere", "x": "AA", "d": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "use": "sig"} | ED25519.as_dict(private=False),
        {"kty": "OKP", "crv": "X25519"} | OKPKey.generate_key("X25519").as_dict(private=True),
        {"kty": "OKP", "crv": "Ed448"} | OKPKey.generate_key("Ed448").as_dict(private=True),
    ],
    ids=lambda content: str(content)[:32],
)
def test_a_broken_signing_key_is_told(tmp_path: Path, content: Any) -> None:
    """Also a key without its private half, or of another kind, which would fail at the first token only."""
    path = written(tmp_path, "signing.json", content)
    with pytest.raises(SettingsError, match=r"signing\.json"):
        signing_key(path.parent)


def test_a_given_signing_key_serves(tmp_path: Path) -> None:
    """A JWK that somebody else has made, without `kid` and `use`."""
    path = written(tmp_path, "signing.json", ED25519.as_dict(private=True))
    assert signing_key(path.parent).thumbprint() == ED25519.thumbprint()


@pytest.mark.parametrize("value", ["x", "é", "c2hvcnQ="])
def test_a_broken_pepper_in_the_environment_is_told(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match="DOVETAIL_PEPPER"):
        load_peppers(load_settings({"DOVETAIL_PEPPER": value}, home=tmp_path))


def test_a_pepper_of_the_environment_needs_no_file(tmp_path: Path) -> None:
    """And makes none, so that a read-only home is enough."""
    found = load_peppers(load_settings({"DOVETAIL_PEPPER": PEPPER}, home=tmp_path))
    assert (found.current, found.ring) == ("env", {"env": b"1" * 32})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_the_command_says_it_in_one_sentence(tmp_path: Path, name: str) -> None:
    """No traceback at the prompt: which file, and what it should hold."""
    written(tmp_path, name, b"")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DOVETAIL_")} | {
        "DOVETAIL_HOME": str(tmp_path)
    }
    command = [sys.executable, "-m", "app.cli", "token", "issue", "--role", "viewer"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert name in ended.stderr.replace("\n", "")
