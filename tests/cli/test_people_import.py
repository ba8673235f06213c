"""`dovetail people import`: every line that is good comes in, every other is named, and a killed run goes on."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

import app.cli.import_batches
import app.cli.import_lines
from app.errors import Unavailable
from services.people.client import OrcidClient
from services.people.importing import import_people
from services.people.orcid import check_digit
from tests.cli.conftest import Cli
from tests.cli.orcid_server import orcid_server
from tests.endings import killed

ADA, JOAO = "0000-0002-1825-0097", "0000-0001-2345-6789"
NAMES = ["Zoë Ångström", "Мария Склодовская", "李小龍", "محمد بن موسى", "Ωρίων Παπαδόπουλος"]


def orcid(number: int) -> str:
    digits = f"{number:015d}"
    digits += check_digit(digits)
    return "-".join(digits[at : at + 4] for at in (0, 4, 8, 12))


def record(orcid_id: str, name: str) -> str:
    given, _, family = name.partition(" ")
    names = {"given-names": {"value": given}, "family-name": {"value": family} if family else None}
    person = {"name": names | {"visibility": "public"}, "biography": None}
    return json.dumps({"orcid-identifier": {"path": orcid_id}, "person": person}, ensure_ascii=False)


@pytest.fixture
def empty(either_cli: Cli) -> Cli:
    either_cli.ok("migrate")
    either_cli.ok("tenants", "create", "one")
    return either_cli


def people(cli: Cli, **options: Any) -> list[dict[str, Any]]:
    found = cli.ok("people", "list", "--limit", options.get("limit", 5_000))["people"]
    assert isinstance(found, list)
    return found


def run(cli: Cli, path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    result = cli("people", "import", path, "--json", *options)
    return result.exit_code, json.loads(result.stdout)


def test_a_file_as_people_write_them(empty: Cli, tmp_path: Path) -> None:
    """BOM, CRLF, blanks, comments, addresses, records in five scripts, and each broken line by its number."""
    lines: list[bytes] = [
        b"\xef\xbb\xbf" + ADA.encode(),  # 1
        b"",
        b"# a comment, then blanks",
        b"   \t ",
        f"https://orcid.org/{JOAO}".encode(),  # 5
        f"  {orcid(7)}  # with a remark".encode(),
        b"0000-0002-1825-0098",  # 7, bad: check digit
        b"hello",  # 8, bad
        b"{not json",  # 9, bad
        b'{"a": 1}',  # 10, bad: no record
        b"[1]",  # 11, bad
        b"0000-0002-1825-009\xff",  # 12, bad: UTF-8
        b"[" * 5_000,  # 13, bad
        b'{"a":' * 5_000,  # 14, bad: depth
        b"0000-0002\x0018250097",  # 15, bad: NUL
        *(record(orcid(100 + at), name).encode() for at, name in enumerate(NAMES)),
        ADA.encode(),  # again; and the last line has no end
    ]
    path = tmp_path / "people.txt"
    path.write_bytes(b"\r\n".join(lines))
    code, found = run(empty, path)
    assert code == 1
    assert [bad["line"] for bad in found["bad_lines"]] == list(range(7, 16))
    assert "check digit" in found["bad_lines"][0]["reason"]
    assert "UTF-8" in found["bad_lines"][5]["reason"]
    assert (found["created"], found["known"], found["queued"], found["bad"]) == (8, 1, 3, 9)
    assert {person["name"] for person in people(empty)} >= {*NAMES, ADA, JOAO}


def test_the_same_file_again_changes_nothing(empty: Cli, tmp_path: Path) -> None:
    path = tmp_path / "people.txt"
    path.write_text(f"{ADA}\n{record(orcid(1), 'Ada B')}\n", encoding="utf-8")
    assert run(empty, path)[1]["created"] == 2
    code, found = run(empty, path)
    assert (code, found["created"], found["known"]) == (0, 0, 2)
    code, found = run(empty, path, "--resume")
    assert (code, found["resumed_after"], found["lines"]) == (0, 2, 2)


def test_standard_input_and_text(demo_cli: Cli) -> None:
    """Bad lines go to standard error one by one."""
    result = demo_cli("people", "import", "-", input=f"{orcid(5)}\nnonsense\n\x1b[31mred\n")
    assert result.exit_code == 1
    assert "line 2: the ORCID iD must" in result.stderr
    assert "line 3:" in result.stderr
    assert "1 people new, 0 known, 2 bad lines" in result.stdout
    assert "\x1b" not in result.output
    assert demo_cli("people", "import", "-", input="").exit_code == 0


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--resume",), 1)])
def test_a_pipe_is_imported_but_not_resumed(demo_cli: Cli, options: tuple[str, ...], code: int) -> None:
    process = demo_cli.start("people", "import", "-", "--json", *options)
    out, err = process.communicate(f"{orcid(5)}\n", timeout=60)
    assert process.returncode == code, err
    assert '"created": 1' in out if code == 0 else "not_resumable" in err


def test_a_line_that_is_too_long_is_not_kept(demo_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.cli.import_lines, "LONGEST_LINE", 1_000)
    path = tmp_path / "people.txt"
    path.write_bytes(b"a" * 1_000 + b"\r\n" + b"y" * 1_001 + b"\n" + b"z" * 5_000 + b"\n" + orcid(3).encode())
    _, found = run(demo_cli, path)
    reasons = [bad["reason"] for bad in found["bad_lines"]]
    assert "sixteen digits" in reasons[0]
    assert ["is longer" in reason for reason in reasons] == [False, True, True]
    assert (found["lines"], found["created"]) == (4, 1)


def test_utf16_is_told_as_such(demo_cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "people.txt"
    path.write_text(ADA, encoding="utf-16")
    assert demo_cli.error("people", "import", path)["code"] == "wrong_encoding"


def test_one_line_spoils_only_itself(empty: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that the database refuses is tried again line by line."""
    spoiler = orcid(13)

    async def spoiled(context: Any, orcid_ids: list[str]) -> Any:
        if spoiler in orcid_ids:
            raise RuntimeError("broken")
        return await import_people(context, orcid_ids)

    monkeypatch.setattr("services.people.importing.import_people", spoiled)
    path = tmp_path / "people.txt"
    path.write_text("\n".join(orcid(number) for number in range(20)), encoding="utf-8")
    code, found = run(empty, path)
    assert (code, found["created"]) == (1, 19)
    assert found["bad_lines"] == [{"line": 14, "reason": "could not be stored (RuntimeError)"}]


def test_a_killed_import_goes_on(empty: Cli, tmp_path: Path) -> None:
    """Nothing is lost and nothing doubled; the earlier run's lines are not done again."""
    path, total = tmp_path / "people.txt", 3_000
    path.write_text("bad\n" + "".join(f"{orcid(number)}\n" for number in range(total)), encoding="utf-8")
    process = empty.start("people", "import", path)
    deadline = time.monotonic() + 60
    while not list((empty.home / "imports").glob("[!.]*.json")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.005)
    killed(process)
    code, found = run(empty, path, "--resume")
    assert code == 1
    assert 200 <= found["resumed_after"] < total
    assert (found["lines"], found["bad"], found["created"] + found["known"]) == (total + 1, 1, total)
    assert len(people(empty)) == total
    assert empty.ok("audit", "verify")["ok"]


def test_a_database_that_goes_away_breaks_it_off(empty: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done stays done and the message says how to go on; a bad line is then told once."""
    path = tmp_path / "people.txt"
    path.write_text("".join(f"{orcid(number)}\n" for number in range(300)) + "bad\n", encoding="utf-8")

    async def away(context: Any, orcid_ids: list[str]) -> Any:
        if orcid(250) in orcid_ids:
            raise Unavailable
        return await import_people(context, orcid_ids)

    with monkeypatch.context() as patched:
        patched.setattr("services.people.importing.import_people", away)
        found = empty.error("people", "import", path)
    assert (found["code"], found["details"]) == ("import_broken_off", {"line": 200})
    assert "--resume" in found["message"]
    code, document = run(empty, path, "--resume")
    assert (code, document["resumed_after"], document["created"], document["bad"]) == (1, 200, 300, 1)


def test_another_tenant_is_not_resumed(empty: Cli, tmp_path: Path) -> None:
    empty.ok("tenants", "create", "two")
    path = tmp_path / "people.txt"
    path.write_text(ADA, encoding="utf-8")
    assert run(empty, path, "--tenant", "one")[0] == 0
    assert run(empty, path, "--tenant", "two", "--resume")[1]["created"] == 1


def test_wait_runs_the_syncs(empty: Cli, tmp_path: Path) -> None:
    """Records come from ORCID; one that it does not know is failed, with the reason, and stays."""
    path = tmp_path / "people.txt"
    path.write_text(f"0000-0002-1642-628X\n0000-0002-9341-7985\n{orcid(1)}\n", encoding="utf-8")
    with orcid_server() as url:
        empty.env |= {"DOVETAIL_ORCID_BASE_URL": url, "DOVETAIL_EGRESS_ALLOW": "127.0.0.1"}
        code, found = run(empty, path, "--wait")
    assert code == 0
    assert (found["syncs"]["complete"], found["syncs"]["failed"]) == (2, 1)
    assert found["syncs"]["failures"][0]["orcid_id"] == orcid(1)
    shown = {person["orcid_id"]: person for person in people(empty)}
    assert shown["0000-0002-1642-628X"]["name"] == "Carl Boettiger"
    assert shown["0000-0002-9341-7985"]["publication_count"] > 0
    assert "knows no record" in shown[orcid(1)]["sync_error"]


def test_sync_and_show_find_a_person_either_way(demo_cli: Cli) -> None:
    person = demo_cli.ok("people", "show", ADA)["person"]
    assert demo_cli.ok("people", "show", person["id"])["person"] == person
    assert demo_cli.ok("people", "sync", ADA)["person"]["sync_status"] == "pending"
    assert demo_cli.error("people", "show", orcid(9))["code"] == "not_found"
    assert demo_cli.error("people", "show", "0000-0002-1825-0098")["code"] == "validation_failed"
    assert [p["name"] for p in demo_cli.ok("people", "list", "--q", "LOVELACE")["people"]] == ["Ada Lovelace"]


def test_batches_are_small_in_lines_and_in_bytes() -> None:
    line = app.cli.import_lines.Line(1, 1_500_000)
    assert [len(batch) for batch in app.cli.import_batches.batches([line] * 5)] == [3, 2]
    line = app.cli.import_lines.Line(1, 20)
    assert [len(batch) for batch in app.cli.import_batches.batches([line] * 450)] == [200, 200, 50]


def test_a_sync_that_was_given_up_is_not_waited_for(
    empty: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect in the job: it failed, nobody runs it again, and the person is left as it was."""

    async def broken(*_: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(OrcidClient, "fetch_person", broken)
    path = tmp_path / "people.txt"
    path.write_text(f"{ADA}\n", encoding="utf-8")
    _, found = run(empty, path, "--wait")
    assert (found["syncs"]["complete"], found["syncs"]["failed"]) == (0, 1)
    assert "given up" in found["syncs"]["failures"][0]["reason"]
