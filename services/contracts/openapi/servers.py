"""Servers: where calls go. A document that names none leaves it open, so a first one takes nothing away."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from services.contracts.findings import Direction, Effect
from services.contracts.openapi.documents import Node
from services.contracts.openapi.effects import of_sets
from services.contracts.openapi.pairs import Delta
from services.contracts.openapi.reports import Report


def own_servers(*owners: Node) -> Node | None:
    """The first owner that lists servers itself: an operation, then its path."""
    return next((owner for owner in owners if isinstance(owner.get("servers"), list) and owner.get("servers")), None)


def compare_servers(report: Report, base: Node | None, revision: Node | None, operation: str) -> None:
    """Servers of two owners (the document, a path, an operation)."""
    before, after = _servers(base), _servers(revision)
    for key in sorted(each for each in before.keys() - after.keys() if not _met(each, after.keys())):
        delta = Delta("server-removed", Effect.NARROWS, before[key].get("url"), sorted(after) or None)
        report.add(operation, "servers", Direction.REQUEST, delta)
    for key in sorted(before.keys() & after.keys()):
        _compare_variables(report, before[key], after[key], operation)


def _servers(owner: Node | None) -> dict[str, Node]:
    listed = owner.get("servers") if owner is not None else None
    if owner is None or not isinstance(listed, list):
        return {}
    nodes = [owner.child("servers", index) for index in range(len(listed))]
    return {_normal(node.get("url")): node for node in nodes if isinstance(node.get("url"), str)}


def _met(url: str, others: Iterable[str]) -> bool:
    """Whether an address without a scheme (`//host/path`) is one of the others, or one of the others is it."""
    bare = url.partition("//")[2]
    return any(
        other.partition("//")[2] == bare and (url.startswith("//") or other.startswith("//")) for other in others
    ) and bool(bare)


def _normal(url: str) -> str:
    """Scheme and host know no case, and a last slash makes no difference."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl().rstrip("/")


def _compare_variables(report: Report, base: Node, revision: Node, operation: str) -> None:
    for name, before in base.items("variables"):
        after = revision.child("variables", name)
        lost, won = _values(before), _values(after)
        if lost is not None and won is not None and not lost <= won:
            _add(report, operation, base, name, Effect.NARROWS, sorted(lost - won), None)
        elif lost is None and won is not None:
            _add(report, operation, base, name, Effect.NARROWS, None, sorted(won))
        elif before.get("default") != after.get("default"):
            effect = of_sets(True, True)
            _add(report, operation, base, name, effect, before.get("default"), after.get("default"))


def _values(variable: Node) -> set[str] | None:
    listed = variable.get("enum")
    return {str(each) for each in listed} if isinstance(listed, list) else None


def _add(report: Report, operation: str, server: Node, name: str, effect: Effect, before: Any, after: Any) -> None:
    where = f"servers.{server.get('url')}.{name}"
    report.add(operation, where, Direction.REQUEST, Delta("server-variable", effect, before, after))
