"""What changed in a contract, as Markdown for those who use it: grouped, in a stable order, one line a finding."""

from collections.abc import Iterable, Sequence

from services.contracts.findings import Finding, Verdict

GROUPS = (
    ("breaking", "Breaking"),
    ("unknown", "Effect not known"),
    ("removed", "Removed after its sunset"),
    ("deprecated", "Deprecated"),
    ("added", "Added"),
    ("changed", "Changed"),
)


def group_of(finding: Finding) -> str:
    """The group that a finding is told in."""
    if finding.verdict is not Verdict.NOTICE:
        return "breaking" if finding.verdict is Verdict.BREAKING else "unknown"
    words = finding.rule.split("-")
    if words[-1] == "removed" and finding.after is None and finding.rule not in ("description-removed",):
        return "changed" if "deprecation" in words or "usage" in words else "removed"
    if "deprecation" in words or "deprecated" in words or "sunset" in words:
        return "deprecated"
    return "added" if words[-1] == "added" and "description" not in words else "changed"


def changelog(title: str, findings: Iterable[Finding], begun: Sequence[str] = ()) -> str:
    """The versions that have begun, and a section for each group that has findings; the same give the same bytes."""
    told: dict[str, set[str]] = {}
    for finding in findings:
        place = finding.operation or finding.where
        # A line is a line: what a document says of itself cannot begin a heading here.
        message = " ".join(finding.message.split())
        line = message if place in message else f"{place}: {message}" if place else message
        told.setdefault(group_of(finding), set()).add(f"- {line}")
    first = ["## Begun\n\n" + "\n".join(f"- {line}" for line in begun)] if begun else []
    sections = first + [f"## {name}\n\n" + "\n".join(sorted(told[key])) for key, name in GROUPS if key in told]
    return "\n\n".join([f"# {title}", *(sections or ["Nothing changed."])]) + "\n"
