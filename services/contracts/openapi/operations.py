"""Operations: what one HTTP method of one path takes and answers."""

from dataclasses import dataclass

from services.contracts.findings import Direction, Effect
from services.contracts.openapi.bodies import compare_content
from services.contracts.openapi.documents import Document, Node
from services.contracts.openapi.effects import of_sets
from services.contracts.openapi.lifecycles import Lifecycle, Stage
from services.contracts.openapi.pairs import Delta
from services.contracts.openapi.parameters import compare_parameters, compare_stages, parameters_of
from services.contracts.openapi.reports import Report, Site
from services.contracts.openapi.responses import compare_responses
from services.contracts.openapi.securities import compare_security
from services.contracts.openapi.servers import compare_servers, own_servers

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with the path item that it stands in, and its path's parameter names by position."""

    path: str
    method: str
    path_item: Node
    operation: Node
    names: dict[str, str]

    @property
    def document(self) -> Document:
        return self.operation.document

    @property
    def title(self) -> str:
        return f"{self.method.upper()} {self.path}"


@dataclass(frozen=True, slots=True)
class Context:
    """What stays the same while operations are compared. `outbound`: the server calls, the client answers."""

    report: Report
    lifecycle: Lifecycle
    outbound: bool = False
    prefix: str = ""

    @property
    def asks(self) -> Direction:
        return Direction.RESPONSE if self.outbound else Direction.REQUEST

    @property
    def answers(self) -> Direction:
        return Direction.REQUEST if self.outbound else Direction.RESPONSE


def compare_operation(context: Context, base: Call, revision: Call, title: str) -> None:
    """Everything about one operation that both sides have."""
    report = context.report
    site = Site(title, context.prefix, context.asks)
    before, after = base.operation, revision.operation
    compare_parameters(
        report,
        parameters_of(base.path_item, before, base.names),
        parameters_of(revision.path_item, after, revision.names),
        site,
        context.lifecycle,
    )
    _compare_body(report, before.child("requestBody").resolved(), after.child("requestBody").resolved(), site)
    compare_responses(report, before, after, Site(title, context.prefix, context.answers))
    if not context.outbound:
        compare_security(report, (base.document, before), (revision.document, after), title, context.asks)
    servers = [own_servers(call.operation, call.path_item) for call in (base, revision)]
    if any(servers) and not context.outbound:
        roots = [owner or call.document.root for owner, call in zip(servers, (base, revision), strict=True)]
        compare_servers(report, roots[0], roots[1], title)
    compare_stages(report, before, after, site, context.lifecycle)
    if Stage.of(before.value).unpromised:
        report.unpromised.add(title)
    _compare_names(report, before, after, site)


def _compare_body(report: Report, base: Node, revision: Node, site: Site) -> None:
    had, has = isinstance(base.value, dict), isinstance(revision.value, dict)
    before, after = base.get("required") is True, revision.get("required") is True
    where = f"{site.where}request.body"
    if had and has:
        if before != after:
            report.add(
                site.operation, where, site.direction, Delta("body-required", of_sets(after, before), before, after)
            )
        compare_content(report, base, revision, Site(site.operation, where, site.direction))
    elif has:
        effect = Effect.NARROWS if after else Effect.WIDENS
        report.add(site.operation, where, site.direction, Delta("body-added", effect, None, after))
    elif had:
        report.add(site.operation, where, site.direction, Delta("body-removed", Effect.NARROWS, before, None))


def _compare_names(report: Report, base: Node, revision: Node, site: Site) -> None:
    """What only generated clients see."""
    for keyword, rule in (("operationId", "operation-id"), ("tags", "operation-tags")):
        before, after = base.get(keyword), revision.get(keyword)
        if keyword == "tags":
            before, after = (
                sorted(map(str, each)) if isinstance(each, list) and each else None for each in (before, after)
            )
        if before != after:
            effect = Effect.INCOMPARABLE if before else Effect.NONE
            report.add(site.operation, site.where, Direction.CONTRACT, Delta(rule, effect, before, after))
