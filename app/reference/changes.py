"""What differs between the versions of each contract, from the same comparison that guards them."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from app.clock import Clock, utc_date
from app.reference.frame import Group, Link, Page
from app.reference.markup import Html, anchor, el, joined
from app.reference.prose import sentence
from rest.contracts.documents import snapshot
from rest.contracts.registry import APIS
from services.contracts.findings import Finding, Verdict

_WORDS = {Verdict.BREAKING: "breaking", Verdict.UNKNOWN: "cannot be judged", Verdict.NOTICE: ""}


def changes_page(clock: Clock) -> Page:
    """Each version against the one before it, operation by operation; the newest first."""
    # The law is loaded by who compares: a server that nobody asks for this page never needs it.
    from services.contracts.openapi import compare

    parts, groups = [el("h1", "Changes"), _about()], []
    for api, before, after in _pairs():
        place = anchor("changes", f"{api}-{after}")
        documents = [json.loads(snapshot(api, version)) for version in (before, after)]
        found = compare(*documents, today=utc_date(clock.now_ms()))
        # That the prefix is another is what makes it another version.
        findings = [finding for finding in found if finding.rule != "server-removed"]
        parts.append(_version(place, f"{api} {before} → {after}", findings))
        names = [name for name, _ in _by_operation(findings)]
        links = [Link(f"#{anchor(place, name)}", name or "The whole document") for name in names]
        groups.append(Group(f"{api} {after}", (Link(f"#{place}", f"From {before}"), *links)))
    if not groups:
        parts.append(el("p", "Every contract has one version so far; there is nothing to compare."))
    return Page("Changes", joined(parts), tuple(groups))


def _about() -> Html:
    return el("p", "A frozen version never changes, and an active one only grows. What takes something away stands in "
              "a version of its own; these are the steps from one version to the next.")  # fmt: skip


def _pairs() -> Iterator[tuple[str, str, str]]:
    for name, api in APIS.items():
        for before, after in reversed(list(pairwise(api.names))):
            yield name, before, after


def _by_operation(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    ordered = sorted(findings, key=lambda finding: finding.operation)
    return [(name, list(found)) for name, found in groupby(ordered, key=lambda finding: finding.operation)]


def _version(place: str, title: str, findings: Sequence[Finding]) -> Html:
    breaking = sum(finding.verdict is not Verdict.NOTICE for finding in findings)
    told = f"{len(findings)} changes, {breaking} of them breaking." if findings else "Nothing differs."
    parts = [_operation(anchor(place, name), name, found) for name, found in _by_operation(findings)]
    return el("div", el("h2", title, id=place), el("p", told, class_="soft"), parts, class_="group")


def _operation(place: str, name: str, findings: Sequence[Finding]) -> Html:
    rows = [_finding(finding) for finding in findings]
    heading = el("h3", el("a", name or "The whole document", href=f"#{place}"))
    return el("section", heading, el("ul", rows, class_="tree"), id=place, class_="card", data_find=name.lower())


def _finding(finding: Finding) -> Html:
    word = _WORDS[finding.verdict]
    mark = el("span", word, class_="mark ending") if word else ""
    where = el("code", finding.where, class_="name") if finding.where else ""
    return el("li", where, " ", mark, el("span", sentence(finding.message), class_="about"))
