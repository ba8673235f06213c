"""Groups of works: which entries of a group are sound, and which speaks for it.

ORCID groups the entries that mean one work. The group's preferred entry speaks for it: the highest
display-index, then the latest change, then the lowest put-code.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from services.people.records.members import RecordUnreadable, child, integer, is_public, items, locale, wrapped


class Summary(NamedTuple):
    """A sound entry; `source` is its JSON, `modified` milliseconds."""

    put_code: int
    display_index: int
    modified: int
    title: dict[str, str]
    source: dict[str, Any]

    @property
    def rank(self) -> tuple[int, int, int]:
        return self.display_index, self.modified, -self.put_code


def groups(body: Any, problems: list[str]) -> Sequence[Any]:
    """The groups, wherever they stand. Raises RecordUnreadable where there can be none."""
    works = child(body, "activities-summary", "works") or child(body, "works") or body
    if isinstance(child(body, "activities-summary"), dict) and works is body:
        return ()
    if not isinstance(works, dict) or "group" not in works:
        raise RecordUnreadable("These are no ORCID works: there is no `group`.")
    if works["group"] is not None and not isinstance(works["group"], list):
        problems.append("The groups of the works are no list.")
    return items(works["group"])


def preferred(group: Any, number: int, problems: list[str]) -> Summary | None:
    """The entry that speaks for the group, among its public ones; unsound ones go to `problems`."""
    candidates = []
    summaries = items(child(group, "work-summary"))
    if not summaries:
        problems.append(f"Group {number} of the works holds no work.")
    for source in summaries:
        if not is_public(child(source, "visibility")):
            continue
        summary = _summary(source)
        if isinstance(summary, str):
            problems.append(f"Group {number} of the works: {summary}")
        else:
            candidates.append(summary)
    return max(candidates, key=lambda summary: summary.rank, default=None)


def _summary(source: Any) -> Summary | str:
    """The entry, or the sentence that says what is wrong with it."""
    if not isinstance(source, dict):
        return "an entry is no object."
    put_code = integer(source.get("put-code"))
    if put_code is None:
        return "an entry has no put-code."
    title = _title(source.get("title"))
    if title is None:
        return f"work {put_code} has no title."
    modified = integer(source.get("last-modified-date")) or 0
    return Summary(put_code, integer(source.get("display-index")) or 0, modified, title, source)


def _title(value: Any) -> dict[str, str] | None:
    """The title as `en`, and its translation under its own language.

    A translation into English shows that the title is in another language, which ORCID does not name: `und`.
    """
    title = wrapped(child(value, "title"))
    if title is None:
        return None
    translated = wrapped(child(value, "translated-title"))
    language = locale(child(value, "translated-title", "language-code"))
    if translated is None or language is None:
        return {"en": title}
    return {"en": translated, "und": title} if language == "en" else {"en": title, language: translated}
