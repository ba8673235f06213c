"""What `dovetail rollout check` asks of v2 alone: walks by cursor, increments, entity tags, strict queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from app.cli.rollout_contract import Operation

if TYPE_CHECKING:
    from app.cli.rollout_checks import Rollout

    Check = Callable[[Rollout], Iterator[str]]

#: The largest instant that the contract takes: nobody was ever given it.
_NEVER_GIVEN = 2**53 - 1


def feed_checks() -> list[tuple[str, Check]]:
    """The checks by name, in order."""
    return [
        ("a cursor leads to the next page, and to no other list", cursors),
        ("what changed since the last walk can be asked for", increments),
        ("an instant that was never given needs a full sync", full_sync),
        ("an answer that is the same is not sent again", entity_tags),
        ("a parameter that is not known is refused", strict_query),
    ]


def cursors(rollout: Rollout) -> Iterator[str]:
    """Two pages of one row: none comes twice. The cursor with other parameters is refused."""
    for operation in _lists(rollout):
        first = rollout.site.ask(f"{operation.path}?limit=1", rollout.key)
        yield from rollout.granted(first, operation.answers["200"])
        page = _page(first.json(), operation)
        if page is None or page["next_cursor"] is None:
            continue
        cursor = quote(str(page["next_cursor"]), safe="")
        second = rollout.site.ask(f"{operation.path}?limit=1&cursor={cursor}", rollout.key)
        yield from rollout.granted(second, operation.answers["200"])
        name = operation.path.strip("/")
        after = _page(second.json(), operation)
        if after is not None and after[name] and after[name] == page[name]:
            yield f"{second.asked}: the same row as on the page before"
        strange = rollout.site.ask(f"{operation.path}?q=a&cursor={cursor}", rollout.key)
        yield from rollout.refused(strange, 400, "invalid_query_parameters")


def increments(rollout: Rollout) -> Iterator[str]:
    """The last page of a walk, even of one that finds nothing, says from where changes are to be asked for."""
    for operation in _lists(rollout):
        last = rollout.site.ask(f"{operation.path}?q={uuid4().hex}", rollout.key)
        yield from rollout.granted(last, operation.answers["200"])
        page = _page(last.json(), operation)
        since = page and page.get("next_updated_since")
        if not isinstance(since, int):
            yield f"{last.asked}: the last page has no next_updated_since"
            continue
        changed = rollout.site.ask(f"{operation.path}?updated_since={since}", rollout.key)
        yield from rollout.granted(changed, operation.answers["200"])


def full_sync(rollout: Rollout) -> Iterator[str]:
    for operation in _lists(rollout)[:1]:
        answer = rollout.site.ask(f"{operation.path}?updated_since={_NEVER_GIVEN}", rollout.key)
        yield from rollout.refused(answer, 410, "full_sync_required")


def entity_tags(rollout: Rollout) -> Iterator[str]:
    """On `/installation`, which hardly ever changes between two requests; once more where it did."""
    for _ in range(2):
        first = rollout.site.ask("/installation", rollout.key)
        tag = first.headers.get("etag", "")
        if not tag.startswith('"'):
            yield f"{first.asked}: ETag is {tag or 'absent'} and not a strong one"
            return
        again = rollout.site.ask("/installation", rollout.key, tag=tag)
        if again.status == 304 or again.headers.get("etag") == tag:
            break
    if again.status != 304:
        yield f"{again.asked} with If-None-Match: {again.status}; expected 304"
    elif again.body or again.headers.get("etag") != tag:
        yield f"{again.asked}: 304 with a body, or without the ETag"


def strict_query(rollout: Rollout) -> Iterator[str]:
    """A misspelt `updated_since` that is passed over looks like a sync that works."""
    for operation in _lists(rollout)[:1]:
        answer = rollout.site.ask(f"{operation.path}?updated_sinse=0", rollout.key)
        yield from rollout.refused(answer, 400, "invalid_query_parameters")


def _lists(rollout: Rollout) -> list[Operation]:
    """The lists that are followed and that the given key may read."""
    return [each for each in rollout.contract.operations if "updated_since" in each.parameters and rollout.may(each)]


def _page(found: Any, operation: Operation) -> Any | None:
    """The body where it has the members of a page; what else is wrong with it is told by its shape."""
    name = operation.path.strip("/")
    whole = isinstance(found, dict) and isinstance(found.get(name), list) and "next_cursor" in found
    return found if whole else None
