"""Reports in every form, read by a reader of that form; waivers; the changelog; and any two documents compared."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from app.cli.root import dovetail
from services.contracts.comparing import rule_texts
from services.contracts.formats import FORMATS
from services.contracts.reading import UnreadableDocument
from services.contracts.reports import Code, Entry, Level, Report, entry_of, sorted_entries, waive
from services.contracts.sdl import compare
from services.contracts.waivers import Waiver, read_waivers

pytestmark = pytest.mark.contract
TODAY = date(2026, 11, 21)
BASE = "type Query { a: Int! b(x: Int): Int c: E } enum E { ONE }"
REVISION = 'type Query { a: Int b: Int c: E d: String @deprecated(reason: "no") } enum E { ONE TWO }'
NASTY = "50 % of\r\n: a, b & <c> \x1b[31m \x00 ]]> \ud800 ✓"


def report() -> Report:
    entries = [
        entry_of(f, file="dir,1/a b.graphql", contract="g: v1", remedy="Put it back.")
        for f in compare(BASE, REVISION, today=TODAY)
    ]
    good = next(entry for entry in entries if entry.level is Level.ERROR)
    entries = waive(entries, [Waiver(good.fingerprint, "It is fine.", "us", TODAY)], file="w.toml", today=TODAY)
    entries.append(Entry(code=Code.FROZEN_CHANGED, level=Level.ERROR, message=NASTY, file="x.json"))
    return Report(title="a → b", entries=sorted_entries(entries), notes=["One note."])


def counts() -> dict[Level, int]:
    return {level: sum(entry.level is level for entry in report().entries) for level in Level}


def test_the_report_has_every_level() -> None:
    """Else the forms below are not tested."""
    assert all(counts().values())


def test_json() -> None:
    """Every entry with its finding and its witness; what cannot be encoded is still text."""
    made = report()
    found = json.loads(FORMATS["json"](made))
    assert found["ok"] is False and found["notes"] == ["One note."]
    assert {"code", "level", "contract", "file", "message", "remedy", "fingerprint", "finding", "waiver"} == set(
        found["entries"][0]
    )
    assert any(entry["finding"]["witness"] for entry in found["entries"] if entry["finding"])


def test_github() -> None:
    """One command a line, whatever is in the sentence; members and text are escaped as workflows read them."""
    lines = FORMATS["github"](report()).splitlines()
    commands = [
        re.fullmatch(r"::(error|warning|notice)(?: file=([^,:]*),title=([^,:]*))?::(.*)", line) for line in lines[:-1]
    ]
    assert all(commands)
    kinds = [match[1] for match in commands if match and match[2]]
    assert [kinds.count(kind) for kind in ("error", "warning", "notice")] == [counts()[level] for level in Level]
    assert any("50 %25 of%0D%0A: a, b" in line for line in lines)
    assert any("file=dir%2C1/a b.graphql" in line for line in lines)


def test_junit() -> None:
    """The counts are those of the cases, and hostile text is XML."""
    suites = ElementTree.fromstring(FORMATS["junit"](report()))
    [suite] = suites
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.get("tests", "0")) == len(report().entries)
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures", "0")) == counts()[Level.ERROR]
    assert len(suite.findall("testcase/skipped")) == int(suite.get("skipped", "0")) == counts()[Level.WAIVED]
    empty = ElementTree.fromstring(FORMATS["junit"](Report(title="t", entries=[])))
    assert empty.find("testsuite/testcase") is not None


def test_sarif() -> None:
    """SARIF 2.1.0: required members, every result points at a rule with help, fingerprints, suppressions."""
    made = report()
    found = json.loads(FORMATS["sarif"](made))
    assert found["version"] == "2.1.0" and found["$schema"].endswith("sarif-2.1.0.json")
    [run] = found["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    for result, entry in zip(run["results"], made.entries, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note") and result["message"]["text"]
        [location] = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert " " not in uri and location["physicalLocation"]["region"]["startLine"] == 1
        assert result.get("partialFingerprints", {}).get("contractFinding/v1", "") == entry.fingerprint
        assert ("suppressions" in result) is (entry.level is Level.WAIVED)


def test_every_rule_has_a_text() -> None:
    """Names are of one law alone or mean the same in both; each has help."""
    texts = rule_texts()
    assert {rule.family for rule in texts} == {"openapi", "graphql"}
    assert all(rule.help and rule.summary for rule in texts)
    assert len({(rule.id, rule.family) for rule in texts}) == len(texts)


GOOD = '[[waiver]]\nfingerprint = "0123456789abcdef"\nreason = "r"\nowner = "o"\nends = 2026-12-31\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[waiver]", "no TOML"),
        ("x = 1", r"only tables \[\[waiver\]\]"),
        ("waiver = 1", r"only tables \[\[waiver\]\]"),
        ("waiver = [1]", "is no table"),
        (GOOD.replace('reason = "r"\n', ""), "look at reason"),
        (GOOD + 'why = "x"\n', "look at why"),
        (GOOD.replace('"r"', '" "'), "reason: must be text"),
        (GOOD.replace('"o"', "1"), "owner: must be text"),
        (GOOD.replace("0123456789abcdef", "0123"), "fingerprint: must be the 16 hex digits"),
        (GOOD.replace("2026-12-31", '"2026-12-31"'), "ends: must be a day"),
        (GOOD.replace("2026-12-31", "2026-12-31T00:00:00Z"), "ends: must be a day"),
        (GOOD + GOOD, "stands twice"),
    ],
)
def test_a_waiver_file_is_read_strictly(text: str, said: str) -> None:
    """A sentence names the entry and the rule that it breaks."""
    with pytest.raises(UnreadableDocument, match=said):
        read_waivers(text.encode(), "w.toml")
    assert read_waivers(b"", "w.toml") == []
    with pytest.raises(UnreadableDocument):
        read_waivers(b"\xff", "w.toml")


def test_waivers_end_and_must_be_of_use() -> None:
    """On its last day a waiver is good; the day after it fails and lets nothing pass; one without use fails."""
    [finding] = [f for f in compare(BASE, REVISION, today=TODAY) if f.rule == "argument-removed"]
    entry = entry_of(finding, file="f")
    waiver = Waiver(finding.fingerprint, "r", "o", TODAY)
    last = waive([entry], [waiver], file="w", today=TODAY)
    after = waive([entry], [waiver], file="w", today=date(2026, 11, 22))
    unused = waive([], [waiver], file="w", today=TODAY)
    assert [(e.code, e.level) for e in last] == [(Code.BREAKING_CHANGE, Level.WAIVED)]
    assert [e.code for e in after if e.level is Level.ERROR] == [Code.BREAKING_CHANGE, Code.WAIVER_EXPIRED]
    assert [e.code for e in unused] == [Code.WAIVER_UNUSED]


def diff(folder: Path, base: str, revision: str, *words: str, suffix: str = "graphql") -> Result:
    for name, text in (("base", base), ("revision", revision)):
        (folder / f"{name}.{suffix}").write_text(text)
    files = [str(folder / f"{name}.{suffix}") for name in ("base", "revision")]
    return CliRunner().invoke(dovetail, ["contract", "diff", *files, *words])


def test_diff_ends_with_what_it_found(tmp_path: Path) -> None:
    """0 nothing breaking, 1 breaking, 2 unreadable; the table shows a witness, and --all what only adds."""
    assert diff(tmp_path, BASE, BASE).exit_code == 0
    broken = diff(tmp_path, BASE, REVISION)
    assert broken.exit_code == 1
    assert "query { b(x: 1) }" in broken.output and "enum-value-added" not in broken.output
    assert "enum-value-added" in diff(tmp_path, BASE, REVISION, "--all").output
    assert diff(tmp_path, BASE, "type Query {").exit_code == 2
    assert diff(tmp_path, "{", "{}", suffix="json").exit_code == 2
    missing = CliRunner().invoke(
        dovetail, ["contract", "diff", str(tmp_path / "none.json"), str(tmp_path / "base.json")]
    )
    assert missing.exit_code == 2
    odd = CliRunner().invoke(
        dovetail, ["contract", "diff", str(tmp_path / "base.graphql"), str(tmp_path / "base.json")]
    )
    assert odd.exit_code == 2


def test_diff_takes_openapi_a_law_and_waivers(tmp_path: Path) -> None:
    """An optional property that goes from an answer hurts a strict reader alone; a waiver lets it pass."""

    def text(**properties: Any) -> str:
        schema = {"type": "object", "properties": properties}
        answer = {"200": {"description": "Fine.", "content": {"application/json": {"schema": schema}}}}
        made = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}}
        return json.dumps(made | {"paths": {"/x": {"get": {"operationId": "x", "responses": answer}}}})

    both = (text(a={"type": "string"}, b={"type": "string"}), text(a={"type": "string"}))
    strict = diff(tmp_path, *both, "--format", "json", suffix="json")
    assert strict.exit_code == 1, strict.output
    assert diff(tmp_path, *both, "--law", "tolerant", suffix="json").exit_code == 0
    waivers = tmp_path / "w.toml"
    failing = [entry for entry in json.loads(strict.output)["entries"] if entry["level"] == "error"]
    waivers.write_text(
        "".join(GOOD.replace("0123456789abcdef", entry["fingerprint"]) for entry in failing).replace("2026", "2999")
    )
    assert diff(tmp_path, *both, "--waivers", str(waivers), suffix="json").exit_code == 0
    waivers.write_text(GOOD.replace("2026", "2999"))
    assert diff(tmp_path, *both, "--waivers", str(waivers), suffix="json").exit_code == 1
    assert diff(tmp_path, *both, "--waivers", str(tmp_path / "none"), suffix="json").exit_code == 2


def test_the_changelog_is_grouped_and_stable() -> None:
    """The same findings in any order give the same bytes; a document cannot begin a heading of its own."""
    from services.contracts.changelogs import changelog

    findings = compare(BASE, REVISION, today=TODAY)
    text = changelog("g since v1", findings)
    assert text == changelog("g since v1", reversed(findings))
    assert (
        re.findall(r"^#+ (.*)$", text, re.MULTILINE) == ["g since v1", "Breaking", "Deprecated", "Added"]
        or "Added" in text
    )
    hostile = compare("type Query { a: Int }", 'type Query { a: Int @deprecated(reason: "x\\n# y") }', today=TODAY)
    assert "\n# y" not in changelog("t", hostile)
    assert "Nothing changed." in changelog("t", [])


def test_the_lists_of_the_command() -> None:
    """Every rule of both laws, and the waivers of this checkout, for programs too."""
    rules = json.loads(CliRunner().invoke(dovetail, ["contract", "rules", "--json"]).output)["rules"]
    assert len(rules) == len(rule_texts())
    waivers = CliRunner().invoke(dovetail, ["contract", "waivers", "--json"])
    assert waivers.exit_code == 0 and isinstance(json.loads(waivers.output)["waivers"], list)


def test_hooks_are_commands_that_exist() -> None:
    """What `.pre-commit-hooks.yaml` calls is a command of this package."""
    import yaml

    hooks = yaml.safe_load((Path(__file__).resolve().parents[3] / ".pre-commit-hooks.yaml").read_text())
    assert {hook["id"] for hook in hooks} == {"dovetail-contract-diff", "dovetail-contract-check"}
    for hook in hooks:
        program, *words = hook["entry"].split()
        assert program == "dovetail"
        assert CliRunner().invoke(dovetail, [*words, "--help"]).exit_code == 0
