"""Two contract documents of one kind, compared by the law of that kind; and every rule that a finding may name."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from services.contracts.findings import Category, Finding, Verdict
from services.contracts.reading import ContractDocument, UnreadableDocument


class RuleText(NamedTuple):
    """A rule as reports tell it; `family` is the law that it belongs to."""

    id: str
    family: str
    summary: str
    help: str


def compare_documents(
    base: ContractDocument,
    revision: ContractDocument,
    *,
    today: date,
    category: Category = Category.WIRE,
    notice_days: int | None = None,
) -> list[Finding]:
    """The findings of the law for OpenAPI, or of the one for GraphQL. Raises `UnreadableDocument`.

    `category`: who was promised that nothing breaks; `notice_days`: between a deprecation and its sunset. Both are of
    the law for OpenAPI.
    """
    if base.kind != revision.kind:
        raise UnreadableDocument(f"one is {base.kind} and the other {revision.kind}; both must be of one kind")
    if base.kind == "sdl":
        from services.contracts import sdl

        return sdl.compare(base.sdl, revision.sdl, today=today)
    from services.contracts import openapi

    return openapi.compare(base.openapi, revision.openapi, today=today, category=category, notice_days=notice_days)


def verdict_of(finding: Finding, law: str) -> Verdict:
    """What a finding means under the `strict` law, or under that of a `tolerant` reader."""
    return finding.tolerant if law == "tolerant" and finding.tolerant is not None else finding.verdict


def rule_texts() -> Sequence[RuleText]:
    """The rules of both laws, by name."""
    from services.contracts import openapi, sdl

    found = [RuleText(rule.id, "openapi", rule.summary, rule.why) for rule in openapi.RULES]
    found += [RuleText(rule.name, "graphql", rule.name.replace("-", " "), rule.help) for rule in sdl.RULES.values()]
    return sorted(found)
