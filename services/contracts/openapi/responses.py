"""Responses: statuses by range, headers, content and links."""

from services.contracts.findings import Direction, Effect
from services.contracts.openapi.bodies import compare_content, schema_parts
from services.contracts.openapi.documents import Node
from services.contracts.openapi.effects import of_sets
from services.contracts.openapi.pairs import Delta, Mode
from services.contracts.openapi.parameters import written_differently
from services.contracts.openapi.reports import Report, Site


def compare_responses(report: Report, base: Node, revision: Node, site: Site) -> None:
    """What may be answered. Statuses meet by number, else by their range, a success else by `default`."""
    before, after = _by_status(base), _by_status(revision)
    met: set[str] = set()
    for status, node in before.items():
        other = _counterpart(status, before, after)
        where = f"{site.where}response.{status}"
        if other is None:
            _removed(report, status, where, site)
            continue
        met.add(other)
        compare_response(report, node.resolved(), after[other].resolved(), Site(site.operation, where, site.direction))
    for status in sorted(after.keys() - met):
        delta = Delta("status-added", Effect.NONE, None, status)
        report.add(site.operation, f"{site.where}response.{status}", Direction.CONTRACT, delta)


def _by_status(operation: Node) -> dict[str, Node]:
    return {status.upper() if len(status) == 3 else status: node for status, node in operation.items("responses")
            if not status.startswith("x-")}  # fmt: skip


def _counterpart(status: str, before: dict[str, Node], after: dict[str, Node]) -> str | None:
    if status in after:
        return status
    within = f"{status[:1]}XX"
    if within in after:
        return within
    if status.endswith("XX"):
        narrower = [each for each in after if each[:1] == status[:1]]
        return narrower[0] if narrower else None
    if "default" in after and ("default" not in before or not is_success(status)):
        return "default"
    if status == "default" and len(before) == 1:
        return next((each for each in after if is_success(each)), None)
    return None


def is_success(status: str) -> bool:
    return status.startswith("2")


def _removed(report: Report, status: str, where: str, site: Site) -> None:
    if is_success(status):
        report.add(site.operation, where, site.direction, Delta("status-removed", Effect.INCOMPARABLE, status, None))
    else:
        delta = Delta("status-error-removed", Effect.NARROWS, status, None)
        report.add(site.operation, where, Direction.CONTRACT, delta)


def compare_response(report: Report, base: Node, revision: Node, site: Site) -> None:
    _compare_headers(report, base, revision, site)
    compare_content(report, base, revision, Site(site.operation, f"{site.where}.body", site.direction))
    _compare_links(report, base, revision, site)


def _compare_headers(report: Report, base: Node, revision: Node, site: Site) -> None:
    before = {name.lower(): node.resolved() for name, node in base.items("headers")}
    after = {name.lower(): node.resolved() for name, node in revision.items("headers")}
    for name in sorted((before.keys() | after.keys()) - {"content-type"}):
        where = f"{site.where}.headers.{name}"
        if name not in after:
            tolerated = before[name].get("required") is not True
            delta = Delta("header-removed", Effect.WIDENS, name, None, tolerated=tolerated)
            report.add(site.operation, where, site.direction, delta)
        elif name not in before:
            report.add(site.operation, where, site.direction, Delta("header-added", Effect.NARROWS, None, name))
        else:
            compare_header(report, before[name], after[name], Site(site.operation, where, site.direction))


def compare_header(report: Report, base: Node, revision: Node, site: Site) -> None:
    before, after = base.get("required") is True, revision.get("required") is True
    if before != after:
        report.add(
            site.operation, site.where, site.direction, Delta("header-required", of_sets(after, before), before, after)
        )
    if base.mapping("content") or revision.mapping("content"):
        compare_content(report, base, revision, site)
        return
    for delta in written_differently("header", base, revision):
        report.add(site.operation, site.where, site.direction, delta)
    mode = Mode(site.direction, text=True)
    pair = report.comparison.pair(schema_parts(base), schema_parts(revision), mode)
    report.add_schemas(site.operation, site.where, pair)


def _compare_links(report: Report, base: Node, revision: Node, site: Site) -> None:
    for name in sorted(base.mapping("links").keys() | revision.mapping("links").keys()):
        before = base.child("links", name).resolved().value
        after = revision.child("links", name).resolved().value
        if _bare(before) != _bare(after):
            delta = Delta("link", Effect.INCOMPARABLE, name if before else None, name if after else None)
            report.add(site.operation, f"{site.where}.links.{name}", Direction.CONTRACT, delta)


def _bare(link: object) -> object:
    return {key: each for key, each in link.items() if key != "description"} if isinstance(link, dict) else link
