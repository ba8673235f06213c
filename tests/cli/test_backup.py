"""`dovetail backup`: a copy that is whole although a server writes, and a home that works again from it."""

import fcntl
import io
import json
import os
import sqlite3
import stat
import tarfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.cli.serving import served


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar"


@pytest.fixture
def other(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "other")


def status(port: int, key: str, path: str = "/people") -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/integrations/v1{path}", headers={"X-API-Key": key})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@contextmanager
def writing(port: int, token: str) -> Iterator[list[str]]:
    """Projects are created over GraphQL by four writers while the block runs; their titles, once acknowledged."""
    made: list[str] = []
    stop = threading.Event()
    query = "mutation($t: String!) { createProject(input: {title: $t}) { errors { code } } }"

    def write(writer: int) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            title = f"project {writer} {count}"
            body = json.dumps({"query": query, "variables": {"t": title}}).encode()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, headers)
            with urllib.request.urlopen(request, timeout=60) as answer:
                found = json.loads(answer.read())
            if found.get("data", {}).get("createProject", {}).get("errors") == []:
                made.append(title)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def titles(home: Path) -> set[str]:
    with closing(sqlite3.connect(home / "dovetail.sqlite")) as found:
        return {row[0] for row in found.execute("SELECT title FROM project")}


def test_a_backup_under_load_is_whole(demo_cli: Cli, tmp_path: Path) -> None:
    """Three backups while four writers write: each restores to a home that verifies, starts, and knows its key."""
    demo = demo_cli.ok("demo")
    backups = []
    # A log that nobody reads would fill its pipe, and stop the server.
    serving = Cli(demo_cli.home, DOVETAIL_LOG_LEVEL="error", DOVETAIL_GRAPHQL_COST_PER_MINUTE="1000000000")
    with served(serving) as (port, _), writing(port, demo["token"]) as made:
        for number in range(3):
            while len(made) < 10 * (number + 1):
                time.sleep(0.01)
            before = list(made)
            demo_cli.ok("audit", "anchor")
            target = tmp_path / f"{number}.tar"
            told = demo_cli.ok("backup", "create", target)
            assert {"dovetail.sqlite", "anchors.ndjson", "keys/peppers.json"} <= set(told["files"])
            backups.append((target, before))
    for number, (target, before) in enumerate(backups):
        home = Cli(tmp_path / f"home{number}")
        restored = home.ok("backup", "restore", target)
        assert (restored["verified"], restored["faults"], restored["kept"]) == (True, [], None)
        assert set(before) <= titles(home.home)
        assert home.ok("audit", "verify")["ok"]
    last = Cli(tmp_path / "home2", DOVETAIL_LOG_LEVEL="error")
    with served(last) as (port, _):
        assert status(port, demo["api_key"]) == 200


def test_a_key_of_a_young_pepper_opens_after_a_restore(demo_cli: Cli, other: Cli, file: Path) -> None:
    installation = demo_cli.ok("demo")["installation_id"]
    demo_cli.ok("keys", "add-pepper")
    made = demo_cli.ok("credentials", "issue", installation, "--label", "young", "--scope", "people.read")
    demo_cli.ok("backup", "create", file)
    other.ok("backup", "restore", file)
    with served(other) as (port, _):
        assert status(port, made["api_key"]) == 200


def test_what_a_backup_is(demo_cli: Cli, file: Path) -> None:
    """One tar, 0600, with a manifest first; nothing is left beside it, and it is not written over."""
    (demo_cli.home / "dovetail.toml").write_text('log_level = "error"', encoding="utf-8")
    (demo_cli.home / "keys" / "tmp12345").write_bytes(b"half")
    before = os.umask(0)
    try:
        demo_cli.ok("backup", "create", file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as archive:
        names = archive.getnames()
        assert {member.mode for member in archive} == {0o600}
        content = archive.extractfile("dovetail.toml")
        assert content is not None and content.read() == b'log_level = "error"'
    assert names[0] == "manifest.json"
    assert set(names[1:]) == {
        "dovetail.sqlite", "dovetail.toml", "keys/audit.key", "keys/encryption.json",
        "keys/peppers.json", "keys/signing.json",
    }  # fmt: skip
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".")] == []
    assert demo_cli.error("backup", "create", file)["code"] == "file_exists"


def test_the_files_of_a_restored_home_are_secret(demo_cli: Cli, other: Cli, file: Path) -> None:
    demo_cli.ok("backup", "create", file)
    other.ok("backup", "restore", file)
    keys = other.home / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == {0o600}
    assert stat.S_IMODE((other.home / "dovetail.sqlite").stat().st_mode) == 0o600
    assert not [path for path in other.home.iterdir() if path.name.startswith(".")]


def test_consumers_begin_anew_after_a_restore(demo_cli: Cli, other: Cli, file: Path) -> None:
    """What a plugin read since the backup may be gone: whatever `updated_since` it has, it is sent to a full sync."""

    def heads(home: Path) -> list[tuple[int, int]]:
        with closing(sqlite3.connect(home / "dovetail.sqlite")) as database:
            return database.execute("SELECT changed_at, forgotten_at FROM change_head").fetchall()

    demo_cli.ok("backup", "create", file)
    before = heads(demo_cli.home)
    other.ok("backup", "restore", file)
    after = heads(other.home)
    assert len(after) == len(before) > 0
    assert all(changed == forgotten > max(before)[0] for changed, forgotten in after)


@pytest.mark.parametrize("lock", ["dovetail.lock", "dovetail.sqlite.lock"])
def test_a_home_in_use_is_not_touched(demo_cli: Cli, file: Path, lock: str) -> None:
    """Not while a server serves it or its database, also with --force; and not over what is there, without."""
    demo_cli.ok("backup", "create", file)
    for made in ("dovetail.lock", "dovetail.sqlite.lock"):
        (demo_cli.home / made).touch()
    descriptor = os.open(demo_cli.home / lock, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert demo_cli.error("backup", "restore", file, "--force")["code"] == "already_serving"
    finally:
        os.close(descriptor)
    before = sorted(demo_cli.home.rglob("*"))
    assert demo_cli.error("backup", "restore", file)["code"] == "home_not_empty"
    assert sorted(demo_cli.home.rglob("*")) == before


def test_force_keeps_what_was_there(demo_cli: Cli, file: Path) -> None:
    demo_cli.ok("backup", "create", file)
    demo_cli.ok("tenants", "create", "younger")
    found = demo_cli.ok("backup", "restore", file, "--force")
    assert [row["slug"] for row in demo_cli.ok("tenants", "list")["tenants"]] == ["demo"]
    kept = Cli(Path(found["kept"]))
    assert kept.home.parent == demo_cli.home.parent
    assert [row["slug"] for row in kept.ok("tenants", "list")["tenants"]] == ["demo", "younger"]


def _repacked(file: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with tarfile.open(file) as archive:
        members = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    change(members)
    with tarfile.open(file, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def _manifest(**more: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | more).encode()

    return change


def _escape(members: dict[str, bytes]) -> None:
    found = json.loads(members["manifest.json"])
    found["files"].append({"name": "../escaped", "size": 1, "sha256": "0" * 64})
    members["manifest.json"], members["../escaped"] = json.dumps(found).encode(), b"x"


BROKEN: dict[str, tuple[Callable[[dict[str, bytes]], Any], str]] = {
    "hash": (lambda members: members.update({"keys/audit.key": bytes(32)}), "backup_unsound"),
    "missing": (lambda members: members.pop("keys/peppers.json"), "backup_unsound"),
    "more": (lambda members: members.update({"keys/more": b"x"}), "backup_unsound"),
    "escape": (_escape, "backup_unsound"),
    "no manifest": (lambda members: members.pop("manifest.json"), "backup_unsound"),
    "manifest": (lambda members: members.update({"manifest.json": b"{"}), "backup_unsound"),
    "format": (_manifest(format=2), "backup_unsound"),
    "later": (_manifest(migrations=["dovetail_2999"]), "later_version"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_sound_is_not_restored(demo_cli: Cli, other: Cli, file: Path, name: str) -> None:
    """And nothing of it is left in the home."""
    change, code = BROKEN[name]
    demo_cli.ok("backup", "create", file)
    _repacked(file, change)
    assert other.error("backup", "restore", file)["code"] == code
    assert {path.name for path in other.home.iterdir()} <= {"dovetail.lock", "dovetail.sqlite.lock"}
    assert not (other.home.parent / "escaped").exists()


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100])
def test_what_is_no_archive_is_told(other: Cli, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert other.error("backup", "restore", file)["code"] == "backup_unsound"


def test_a_half_archive_is_told(demo_cli: Cli, other: Cli, file: Path) -> None:
    demo_cli.ok("backup", "create", file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert other.error("backup", "restore", file)["code"] == "backup_unsound"


def test_a_forged_history_is_found_at_the_restore(demo_cli: Cli, other: Cli, file: Path) -> None:
    with closing(sqlite3.connect(demo_cli.home / "dovetail.sqlite")) as found:
        found.execute("DROP TRIGGER audit_event_refuse_update")
        found.execute("UPDATE audit_event SET actor_id = 'nobody'")
        found.commit()
    demo_cli.ok("backup", "create", file)
    result = other("backup", "restore", file, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["verified"] is False


def test_an_empty_home_has_nothing_to_back_up(cli: Cli, file: Path) -> None:
    assert cli.error("backup", "create", file)["code"] == "nothing_there"
    assert not cli.home.exists()


def test_a_folder_that_is_not_there_is_told(demo_cli: Cli, tmp_path: Path) -> None:
    assert demo_cli.error("backup", "create", tmp_path / "nowhere" / "file.tar")["code"] == "backup_failed"


def test_a_database_elsewhere_is_restored_to_its_place(demo_cli: Cli, file: Path, tmp_path: Path) -> None:
    demo_cli.ok("backup", "create", file)
    database = tmp_path / "elsewhere" / "db.sqlite"
    given = Cli(tmp_path / "other", DOVETAIL_DATABASE_URL=f"sqlite:///{database}")
    given.ok("backup", "restore", file)
    assert database.exists() and not (given.home / "dovetail.sqlite").exists()
    assert given.error("backup", "restore", file)["code"] == "home_not_empty"
    assert given.ok("backup", "restore", file, "--force")["verified"]


def test_settings_that_name_another_database_are_told(demo_cli: Cli, other: Cli, tmp_path: Path) -> None:
    """The history of that one would be verified in the place of what was restored."""
    source = demo_cli.home / "dovetail.sqlite"
    moved = tmp_path / "moved.sqlite"
    moved.write_bytes(source.read_bytes())
    (demo_cli.home / "dovetail.toml").write_text(f'database_url = "sqlite:///{moved}"', encoding="utf-8")
    demo_cli.ok("backup", "create", tmp_path / "with-toml.tar")
    assert other.error("backup", "restore", tmp_path / "with-toml.tar")["code"] == "settings_differ"


@pytest.mark.postgres
def test_postgresql_has_its_own_tools(either_cli: Cli, file: Path, tmp_path: Path) -> None:
    """The command says which; keys and anchors are backed up, and restored into an empty home."""
    cli = either_cli
    if not cli.env["DOVETAIL_DATABASE_URL"].startswith("postgres"):
        pytest.skip("for PostgreSQL alone")
    cli.ok("demo")
    told = cli.error("backup", "create", file)
    assert told["code"] == "postgres_has_its_own"
    assert "pg_dump" in told["message"] and "pg_restore" in told["message"]
    made = cli.ok("backup", "create", file, "--keys-only")
    assert "dovetail.sqlite" not in made["files"] and "keys/peppers.json" in made["files"]
    other = Cli(tmp_path / "other", DOVETAIL_DATABASE_URL=cli.env["DOVETAIL_DATABASE_URL"])
    assert other.ok("backup", "restore", file)["verified"] is None
    assert other.ok("audit", "verify")["ok"]


@pytest.mark.postgres
def test_a_sqlite_backup_is_none_for_postgresql(demo_cli: Cli, either_cli: Cli, file: Path) -> None:
    if not either_cli.env["DOVETAIL_DATABASE_URL"].startswith("postgres"):
        pytest.skip("for PostgreSQL alone")
    given = Cli(file.parent / "empty", DOVETAIL_DATABASE_URL=either_cli.env["DOVETAIL_DATABASE_URL"])
    source = Cli(demo_cli.home)
    source.ok("backup", "create", file)
    assert given.error("backup", "restore", file)["code"] == "other_engine"
