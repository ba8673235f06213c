"""Reports for machines: JSON, annotations of GitHub, JUnit XML, and SARIF 2.1.0."""

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import msgspec

from services.contracts.comparing import rule_texts
from services.contracts.reports import CODE_TEXTS, Entry, Level, Report


def _plain(entry: Entry) -> dict[str, Any]:
    found = {
        "code": entry.code.value,
        "level": entry.level.value,
        "contract": entry.contract,
        "file": entry.file,
        "message": entry.message,
        "remedy": entry.remedy,
        "fingerprint": entry.fingerprint,
        "finding": msgspec.to_builtins(entry.finding) if entry.finding else None,
    }
    return found | {"waiver": msgspec.to_builtins(entry.waiver) if entry.waiver else None}


def as_json(report: Report) -> str:
    """One document: `ok`, `title`, `notes`, and every entry with its whole finding."""
    entries = [_plain(entry) for entry in report.entries]
    document = {"ok": not report.errors, "title": report.title, "notes": list(report.notes), "entries": entries}
    return _dumped(document)


def _dumped(document: Any) -> str:
    """Escaped as ASCII: a document may hold half of a surrogate pair, which UTF-8 cannot."""
    return json.dumps(document, indent=2, default=str) + "\n"


def _escaped(text: str, *, member: bool = False) -> str:
    """Workflow commands end at a line's end; members of one also at a colon or a comma."""
    text = _xml(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if member else text


_COMMANDS = {Level.ERROR: "error", Level.WAIVED: "warning", Level.NOTE: "notice"}


def as_github(report: Report) -> str:
    """A workflow command for each entry, `::error file=…,title=…::sentence`, and a last line with the count."""
    lines = []
    for entry in report.entries:
        where = f"file={_escaped(entry.file, member=True)},title={_escaped(_title(entry), member=True)}"
        lines.append(f"::{_COMMANDS[entry.level]} {where}::{_escaped(entry.advice)}")
    lines += [f"::notice::{_escaped(note)}" for note in report.notes]
    return "\n".join([*lines, _escaped(f"{report.title}: {len(report.errors)} errors"), ""])


def _title(entry: Entry) -> str:
    return " ".join(part for part in (entry.code.value, entry.contract, entry.fingerprint) if part)


def as_junit(report: Report) -> str:
    """A test case for each entry, failed for errors and skipped for what is waived; one that passed where none is."""
    failed, waived = len(report.errors), sum(entry.level is Level.WAIVED for entry in report.entries)
    counts = {"tests": str(len(report.entries) or 1), "failures": str(failed), "skipped": str(waived), "errors": "0"}
    suites = ElementTree.Element("testsuites", counts | {"name": "contract"})
    suite = ElementTree.SubElement(suites, "testsuite", counts | {"name": _xml(report.title), "time": "0"})
    for entry in report.entries:
        _add_case(suite, entry)
    if not report.entries:
        ElementTree.SubElement(suite, "testcase", {"classname": "contract", "name": "nothing to say", "time": "0"})
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ElementTree.Element, entry: Entry) -> None:
    where = entry.finding.where if entry.finding else ""
    name = " ".join(part for part in (_title(entry), where) if part)
    members = {
        "classname": f"contract.{entry.contract or 'diff'}",
        "name": _xml(name),
        "file": _xml(entry.file),
        "time": "0",
    }
    case = ElementTree.SubElement(suite, "testcase", members)
    if entry.level is Level.ERROR:
        failure = ElementTree.SubElement(case, "failure", {"type": entry.code.value, "message": _xml(entry.advice)})
        failure.text = _xml(CODE_TEXTS[entry.code])
    elif entry.level is Level.WAIVED and entry.waiver:
        ElementTree.SubElement(case, "skipped", {"message": _xml(f"{entry.waiver.reason} ({entry.waiver.owner})")})


def _xml(text: str) -> str:
    """XML 1.0 has no control characters but tab and line ends, and no lone surrogates."""
    kept = (
        c if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff") else "\ufffd"
        for c in text
    )
    return "".join(kept)


_SARIF_LEVELS = {Level.ERROR: "error", Level.WAIVED: "error", Level.NOTE: "note"}


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0: the rules with their help, a result for each entry, and waivers as suppressions."""
    used = sorted({_rule(entry) for entry in report.entries})
    driver = {
        "name": "dovetail contract",
        "informationUri": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html",
        "rules": _sarif_rules(used),
    }
    results = [_result(entry, used.index(_rule(entry))) for entry in report.entries]
    notes = [{"level": "note", "message": {"text": note}} for note in report.notes]
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": notes}
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results, "columnKind": "utf16CodeUnits"}
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return _dumped(document)


def _rule(entry: Entry) -> str:
    return entry.finding.rule if entry.finding else entry.code.value


def _sarif_rules(used: list[str]) -> list[dict[str, Any]]:
    texts = {rule.id: (rule.summary, rule.help) for rule in rule_texts()}
    texts |= {code.value: (code.value, text) for code, text in CODE_TEXTS.items()}
    return [
        {
            "id": name,
            "name": "".join(part.capitalize() for part in name.replace("_", "-").split("-")),
            "shortDescription": {"text": texts.get(name, (name, name))[0]},
            "fullDescription": {"text": texts.get(name, (name, name))[1]},
            "help": {"text": texts.get(name, (name, name))[1]},
        }
        for name in used
    ]


def _result(entry: Entry, index: int) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": _uri(entry.file)}, "region": {"startLine": 1}}
    }
    if entry.finding and entry.finding.where:
        location["logicalLocations"] = [
            {"fullyQualifiedName": f"{entry.finding.operation} {entry.finding.where}".strip()}
        ]
    found: dict[str, Any] = {
        "ruleId": _rule(entry),
        "ruleIndex": index,
        "level": _SARIF_LEVELS[entry.level],
        "message": {"text": entry.advice},
        "locations": [location],
    }
    if entry.fingerprint:
        found["partialFingerprints"] = {"contractFinding/v1": entry.fingerprint}
    if entry.waiver:
        found["suppressions"] = [{"kind": "external", "justification": entry.waiver.reason}]
    return found


def _uri(file: str) -> str:
    from urllib.parse import quote

    return quote(file.replace("\\", "/"))


FORMATS: dict[str, Callable[[Report], str]] = {
    "json": as_json,
    "github": as_github,
    "junit": as_junit,
    "sarif": as_sarif,
}
