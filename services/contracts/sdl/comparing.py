"""The comparison of two schemas, with graphql-core's own as the net below it."""

from collections import Counter
from datetime import date

from graphql.utilities import find_schema_changes
from graphql.utilities.find_schema_changes import BreakingChangeType

from services.contracts.findings import Finding
from services.contracts.sdl.comparison import Comparison
from services.contracts.sdl.directives import compare_definitions, compare_usages
from services.contracts.sdl.rules import RULES
from services.contracts.sdl.schemas import read
from services.contracts.sdl.types import compare_roots, compare_types


def compare(base_sdl: str, revision_sdl: str, *, today: date) -> list[Finding]:
    """One finding per cause, in a stable order. Raises `UnreadableDocument`.

    What is `@deprecated` with a sunset that `today` has reached may be removed; all else that takes away blocks.
    """
    if base_sdl == revision_sdl:
        read(base_sdl, "the base")
        return []
    found = Comparison(read(base_sdl, "the base"), read(revision_sdl, "the revision"), today)
    compare_roots(found)
    compare_types(found)
    compare_definitions(found)
    compare_usages(found)
    _catch(found)
    return sorted(found.findings, key=_place)


def _place(finding: Finding) -> tuple[str, str, str, str]:
    return finding.where, finding.rule, str(finding.before), str(finding.after)


def _catch(found: Comparison) -> None:
    """What graphql-core calls breaking and no finding of ours stands for blocks as `unclassified`."""
    changes: dict[str, list[str]] = {}
    for change in find_schema_changes(*found.schemas):
        if isinstance(change.type, BreakingChangeType):
            changes.setdefault(change.type.name, []).append(change.description)
    said = Counter(RULES[finding.rule].core for finding in found.findings)
    for name, texts in sorted(changes.items()):
        if len(texts) > said[name]:
            for text in sorted(texts):
                found.add("unclassified", "", f"{name}: {text}", before=text)
