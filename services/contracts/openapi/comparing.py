"""The public entry: two documents in, findings out."""

import datetime as dt
import re
from collections import Counter
from typing import Any

from services.contracts.findings import Category, Direction, Effect, Finding
from services.contracts.openapi.documents import Document, Node
from services.contracts.openapi.lifecycles import Lifecycle
from services.contracts.openapi.operations import METHODS, Call, Context, compare_operation
from services.contracts.openapi.pairs import Delta
from services.contracts.openapi.reports import Report, judged
from services.contracts.openapi.schemas import schema_comparison
from services.contracts.openapi.servers import compare_servers
from services.contracts.openapi.witnesses import Evidence

_TEMPLATE = re.compile(r"\{([^{}]*)\}")


def compare(
    base: dict[str, Any],
    revision: dict[str, Any],
    *,
    today: dt.date,
    category: Category = Category.WIRE,
    notice_days: int | None = None,
    beta_notice_days: int | None = None,
) -> list[Finding]:
    """What the revision does to those who call the base, most severe first, then in the documents' order.

    `category` is what was promised: with `SDK`, what only generated clients notice breaks too. `notice_days`:
    days between a deprecation and its sunset; None: a deprecation needs no sunset. Raises UnreadableDocument.
    """
    documents = Document(base), Document(revision)
    lifecycle = Lifecycle(today, notice_days, beta_notice_days)
    report = Report(schema_comparison(*documents, lifecycle))
    context = Context(report, lifecycle)
    compare_servers(report, documents[0].root, documents[1].root, "")
    _compare_paths(context, *documents)
    _compare_webhooks(context, *documents)
    evidence = Evidence(report.comparison)
    findings = [judged(cause, category, report.unpromised, evidence) for cause in report.causes()]
    return sorted(findings, key=_order)


def _order(finding: Finding) -> tuple[Any, ...]:
    rank = {"breaking": 0, "unknown": 1, "notice": 2}[finding.verdict]
    return (rank, finding.operation, finding.where, finding.rule, str(finding.before), str(finding.after))


def ambiguous(document: Document) -> set[str]:
    """Templates that several paths of one document share; these are known by their own names."""
    counted = Counter(template(path) for path, _ in document.root.items("paths"))
    return {each for each, count in counted.items() if count > 1}


def calls_of(document: Document, own_names: set[str]) -> dict[tuple[str, str], Call]:
    """The operations by template (its parameters by position) and method."""
    found: dict[tuple[str, str], Call] = {}
    for path, item in document.root.items("paths"):
        if not path.startswith("x-"):
            for call in _calls(path, item.resolved()):
                short = template(path)
                found[(path if short in own_names else short, call.method)] = call
    return found


def template(path: str) -> str:
    """A path with its parameters as positions: `/people/{id}` is `/people/{}`."""
    return _TEMPLATE.sub("{}", path)


def _calls(path: str, item: Node) -> list[Call]:
    names = {name: f"{{{position}}}" for position, name in enumerate(_TEMPLATE.findall(path))}
    found = []
    for method in METHODS:
        operation = item.child(method)
        if isinstance(operation.value, dict):
            found.append(Call(path, method, item, operation, names))
    for method, operation in item.items("additionalOperations"):
        found.append(Call(path, method.lower(), item, operation, names))
    return found


def _compare_paths(context: Context, base: Document, revision: Document) -> None:
    own_names = ambiguous(base) | ambiguous(revision)
    before, after = calls_of(base, own_names), calls_of(revision, own_names)
    for key, call in before.items():
        if key in after:
            compare_operation(context, call, after[key], call.title)
            _compare_callbacks(context, call, after[key])
        else:
            sanctioned = context.lifecycle.may_go(call.operation.get("deprecated") is True, call.operation.value)
            delta = Delta("operation-removed", Effect.NARROWS, call.title, None, sanctioned=sanctioned)
            context.report.add(call.title, "", Direction.REQUEST, delta)
    for key in after.keys() - before.keys():
        title = after[key].title
        context.report.add(title, "", Direction.REQUEST, Delta("operation-added", Effect.WIDENS, None, title))


def _compare_callbacks(context: Context, base: Call, revision: Call) -> None:
    before, after = _callbacks(base.operation), _callbacks(revision.operation)
    outbound = Context(context.report, context.lifecycle, not context.outbound, f"{context.prefix}callbacks.")
    _compare_outbound(outbound, base.title, before, after, "callback")


def _callbacks(operation: Node) -> dict[tuple[str, str], Call]:
    found: dict[tuple[str, str], Call] = {}
    for name, callback in operation.items("callbacks"):
        node = callback.resolved()
        for expression in node.value if isinstance(node.value, dict) else ():
            if isinstance(expression, str) and not expression.startswith("x-"):
                for call in _calls(f"{name}.{expression}", node.child(expression).resolved()):
                    found[(call.path, call.method)] = call
    return found


def _compare_webhooks(context: Context, base: Document, revision: Document) -> None:
    outbound = Context(context.report, context.lifecycle, outbound=True)
    _compare_outbound(outbound, "", _webhooks(base), _webhooks(revision), "webhook")


def _webhooks(document: Document) -> dict[tuple[str, str], Call]:
    return {
        (name, call.method): call
        for name, item in document.root.items("webhooks")
        for call in _calls(name, item.resolved())
    }


def _compare_outbound(
    context: Context, title: str, base: dict[tuple[str, str], Call], revision: dict[tuple[str, str], Call], kind: str
) -> None:
    """Calls that the server makes: what it sends is the response's direction, what it takes back the request's."""
    for key, call in base.items():
        place = f"{context.prefix}{call.path}." if title else ""
        name = title or f"{call.method.upper()} webhook:{call.path}"
        if key in revision:
            inner = Context(context.report, context.lifecycle, context.outbound, place)
            compare_operation(inner, call, revision[key], name)
        else:
            sanctioned = context.lifecycle.may_go(call.operation.get("deprecated") is True, call.operation.value)
            delta = Delta(f"{kind}-removed", Effect.INCOMPARABLE, call.title, None, sanctioned=sanctioned)
            context.report.add(name, place.rstrip("."), Direction.RESPONSE, delta)
    for key in revision.keys() - base.keys():
        call = revision[key]
        name = title or f"{call.method.upper()} webhook:{call.path}"
        delta = Delta(f"{kind}-added", Effect.NONE, None, call.title)
        context.report.add(name, f"{context.prefix}{call.path}" if title else "", Direction.RESPONSE, delta)
