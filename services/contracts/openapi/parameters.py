"""Parameters and headers: matched by place and name, compared by schema and by the way they are written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from services.contracts.findings import Direction, Effect
from services.contracts.openapi.bodies import compare_content, schema_parts
from services.contracts.openapi.documents import Node
from services.contracts.openapi.effects import of_sets
from services.contracts.openapi.lifecycles import Lifecycle, Stage
from services.contracts.openapi.pairs import Delta, Mode
from services.contracts.openapi.reports import Report, Site
from services.contracts.openapi.scalars import SCALARS
from services.contracts.openapi.sent import without_parameter, written
from services.contracts.openapi.shapes import Parts

#: Header parameters of these names are ignored: OpenAPI describes them elsewhere.
_IGNORED = {"accept", "content-type", "authorization"}
_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form", "querystring": "form"}

ParameterKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one operation; those of a path are named by their position, so that a new name is no other."""

    by_key: dict[ParameterKey, Node]


def parameters_of(path_item: Node, operation: Node, names: dict[str, str]) -> Parameters:
    """Those of the path with those of the operation laid over them. `names` are the template's, by position."""
    found: dict[ParameterKey, Node] = {}
    for owner in (path_item, operation):
        listed = owner.get("parameters")
        for index in range(len(listed) if isinstance(listed, list) else 0):
            node = owner.child("parameters", index).resolved()
            key = _key(node, names)
            if key is not None:
                found[key] = node
    return Parameters(found)


def _key(node: Node, names: dict[str, str]) -> ParameterKey | None:
    place, name = node.get("in"), node.get("name")
    if not isinstance(place, str) or not isinstance(name, str):
        return None
    if place == "header":
        return None if name.lower() in _IGNORED else (place, name.lower())
    return (place, names.get(name, name) if place == "path" else name)


def compare_parameters(
    report: Report, base: Parameters, revision: Parameters, site: Site, lifecycle: Lifecycle
) -> None:
    for key in sorted(base.by_key.keys() | revision.by_key.keys()):
        before, after = base.by_key.get(key), revision.by_key.get(key)
        node = after or before
        where = f"{site.where}parameters.{key[0]}.{node.get('name') if node else key[1]}"
        place = Site(site.operation, where, site.direction)
        if before is None and after is not None:
            _added(report, key, after, place)
        elif before is not None and after is None:
            _removed(report, key, before, place, lifecycle)
        elif before is not None and after is not None:
            _compare(report, key, before, after, place, lifecycle)


def _added(report: Report, key: ParameterKey, node: Node, site: Site) -> None:
    if key[0] == "path" and not key[1].startswith("{"):
        return
    required = _required(node, key[0])
    rule = "parameter-required-added" if required else "parameter-added"
    effect = Effect.NARROWS if required and key[0] != "path" else Effect.WIDENS
    delta = Delta(rule, effect, None, node.get("name"))
    if effect is Effect.NARROWS:
        delta.witness = without_parameter(key[0])
    report.add(site.operation, site.where, site.direction, delta)
    if key[0] == "path":
        _compare_values(report, key, Node(node.document, "", {}), node, site)


def _removed(report: Report, key: ParameterKey, node: Node, site: Site, lifecycle: Lifecycle) -> None:
    if key[0] == "path":
        return
    sanctioned = lifecycle.may_go(node.get("deprecated") is True, node.value)
    delta = Delta("parameter-removed", Effect.NARROWS, node.get("name"), None, sanctioned=sanctioned)
    report.add(site.operation, site.where, site.direction, delta)


def compare_stages(report: Report, base: Node, revision: Node, site: Site, lifecycle: Lifecycle) -> None:
    """Deprecation and its dates, of a parameter or an operation."""
    before, after = Stage.of(base.value), Stage.of(revision.value)
    if before.deprecated != after.deprecated:
        delta = Delta("operation-deprecated", Effect.NONE, before.deprecated, after.deprecated)
        report.add(site.operation, site.where, Direction.CONTRACT, delta)
    for breach in lifecycle.breaches(before, after):
        report.add(site.operation, site.where, Direction.CONTRACT, Delta(*breach))


def _required(node: Node, place: str) -> bool:
    return node.get("required") is True or place == "path"


def _compare(report: Report, key: ParameterKey, base: Node, revision: Node, site: Site, lifecycle: Lifecycle) -> None:
    if key[0] == "path" and base.get("name") != revision.get("name"):
        delta = Delta("path-parameter-name", Effect.NONE, base.get("name"), revision.get("name"))
        report.add(site.operation, site.where, Direction.CONTRACT, delta)
    before, after = _required(base, key[0]), _required(revision, key[0])
    if before != after:
        delta = Delta("parameter-required", of_sets(after, before), before, after)
        if delta.effect is Effect.NARROWS and site.direction is Direction.REQUEST:
            delta.witness = without_parameter(key[0])
        report.add(site.operation, site.where, site.direction, delta)
    compare_stages(report, base, revision, site, lifecycle)
    _compare_values(report, key, base, revision, site)


def _compare_values(report: Report, key: ParameterKey, base: Node, revision: Node, site: Site) -> None:
    """The schema, or the content, and how it is written."""
    left, right = base.mapping("content"), revision.mapping("content")
    if left and right:
        compare_content(report, base, revision, site)
        return
    if left or right:
        media = [next(iter(each), None) for each in (left, right)]
        delta = Delta("parameter-media", Effect.INCOMPARABLE, media[0], media[1])
        report.add(site.operation, site.where, site.direction, delta)
        return
    for delta in written_differently(key[0], base, revision):
        if delta.rule in ("parameter-style", "parameter-explode") and site.direction is Direction.REQUEST:
            style, types = _style(base, key[0]), report.comparison.shape(schema_parts(base)).types
            delta.witness = written(key[0], str(base.get("name")), style, _explode(base, style), types)
        report.add(site.operation, site.where, site.direction, delta)
    before, after = schema_parts(base), schema_parts(revision)
    if _listed(report, key[0], base, revision):
        before, after, delta = _as_list(report, before, after)
        report.add(site.operation, site.where, site.direction, delta)
    mode = Mode(site.direction, text=True)
    report.add_schemas(site.operation, site.where, report.comparison.pair(before, after, mode))


def _listed(report: Report, place: str, base: Node, revision: Node) -> bool:
    """Whether a single value became a list that is written `a=1&a=2`: then one value is a list of one."""
    if place not in ("query", "cookie") or _explode(revision, _style(revision, place)) is not True:
        return False
    before = report.comparison.shape(schema_parts(base)).types
    after = report.comparison.shape(schema_parts(revision)).types
    return "array" in after and after <= {"array", "null"} and before <= SCALARS | {"null"}


def _as_list(report: Report, base: Parts, revision: Parts) -> tuple[Parts, Parts, Delta]:
    """The pair of single values, and the difference that remains: how many there are."""
    shape, entry = report.comparison.shape(revision), report.comparison.shape(report.comparison.shape(revision).items)
    if "string" in entry.types:
        base = (replace(report.comparison.shape(base), types=entry.types),)
    single = shape.counts.get("minItems", 0) <= 1 and not shape.contains and not shape.prefix
    effect = Effect.WIDENS if single else Effect.INCOMPARABLE
    return base, shape.items, Delta("schema-type", effect, "single value", "array")


def written_differently(place: str, base: Node, revision: Node) -> Iterator[Delta]:
    """Style, explode and the like, judged as they are written, whatever values the schema takes."""
    before, after = _style(base, place), _style(revision, place)
    if before != after:
        yield Delta("parameter-style", Effect.INCOMPARABLE, before, after)
    elif _explode(base, before) != _explode(revision, after):
        yield Delta("parameter-explode", Effect.INCOMPARABLE, _explode(base, before), _explode(revision, after))
    for keyword, rule in (("allowReserved", "parameter-reserved"), ("allowEmptyValue", "parameter-empty")):
        had, has = base.get(keyword) is True, revision.get(keyword) is True
        if had != has and place == "query":
            yield Delta(rule, of_sets(had, has), had, has)


def _style(node: Node, place: str) -> Any:
    return node.get("style", _STYLES.get(place, "form"))


def _explode(node: Node, style: Any) -> Any:
    return node.get("explode", style == "form")
