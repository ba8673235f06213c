"""Bodies: media types on both sides, their schemas, and how the fields of forms are written."""

from typing import Any

from services.contracts.findings import Direction, Effect
from services.contracts.openapi.documents import Node
from services.contracts.openapi.effects import of_sets
from services.contracts.openapi.media_types import MediaType, covers, is_text, is_xml, parsed
from services.contracts.openapi.pairs import Delta, Mode
from services.contracts.openapi.reports import Report, Site
from services.contracts.openapi.shapes import Parts


def schema_parts(node: Node, name: str = "schema") -> Parts:
    """The schema below a node; nothing where there is none or it accepts everything."""
    child = node.child(name)
    if not isinstance(child.value, (dict, bool)) or child.value is True or child.value == {}:
        return ()
    return (child,)


def compare_content(report: Report, base: Node, revision: Node, site: Site) -> None:
    """The `content` of two bodies, by media type and range."""
    before = {name: (parsed(name), node) for name, node in base.items("content")}
    after = {name: (parsed(name), node) for name, node in revision.items("content")}
    met: set[str] = set()
    for name, (media, node) in before.items():
        found = _counterparts(media, after)
        met.update(found)
        if not found:
            _lost(report, name, site)
        for other in found:
            _compare_media(report, (media, node), after[other], site, name)
            if site.direction is Direction.RESPONSE and not covers(media, after[other][0]):
                report.add(site.operation, site.where, site.direction, _wider(name, other))
    for name in after.keys() - met:
        effect = Effect.NONE if site.direction is Direction.RESPONSE else Effect.WIDENS
        report.add(site.operation, site.where, site.direction, Delta("media-type-added", effect, None, name))


def _wider(name: str, other: str) -> Delta:
    return Delta("media-type-wider", Effect.WIDENS, name, other)


def _lost(report: Report, name: str, site: Site) -> None:
    effect = Effect.INCOMPARABLE if site.direction is Direction.RESPONSE else Effect.NARROWS
    report.add(site.operation, site.where, site.direction, Delta("media-type-removed", effect, name, None))


def _counterparts(media: MediaType, others: dict[str, tuple[MediaType, Node]]) -> list[str]:
    """The same media type; else the one that covers it; else those that it covered."""
    same = [name for name, (other, _) in others.items() if other == media]
    if same:
        return same
    wider = [name for name, (other, _) in others.items() if covers(other, media)]
    if wider:
        return wider[:1]
    return [name for name, (other, _) in others.items() if covers(media, other)]


def _compare_media(
    report: Report, base: tuple[MediaType, Node], revision: tuple[MediaType, Node], site: Site, name: str
) -> None:
    (media, before), (other, after) = base, revision
    before, after = before.resolved(), after.resolved()
    where = site.where if media.sub == "json" and not media.parameters else f"{site.where}({name})"
    if site.direction is Direction.REQUEST and media != other and not covers(other, media):
        report.add(site.operation, where, site.direction, Delta("media-type-removed", Effect.NARROWS, name, None))
    mode = Mode(site.direction, text=is_text(media), xml=is_xml(media))
    for keyword, suffix in (("schema", ""), ("itemSchema", "[]")):
        left, right = schema_parts(before, keyword), schema_parts(after, keyword)
        delta = _taken_as_text(report, left, right) if mode.text else None
        if delta is None:
            report.add_schemas(site.operation, where + suffix, report.comparison.pair(left, right, mode))
        else:
            report.add(site.operation, where, site.direction, delta)
    if media.main == "multipart" or media.sub == "x-www-form-urlencoded":
        _compare_encoding(report, media, before, after, Site(site.operation, where, site.direction))


def _taken_as_text(report: Report, base: Parts, revision: Parts) -> Delta | None:
    """A text body that was parsed is taken as it is, or the other way round: as text, everything is a string."""
    before, after = (report.comparison.shape(parts).types for parts in (base, revision))
    if after == {"string"} and before & {"object", "array"} and "string" not in before:
        return Delta("schema-type", Effect.WIDENS, sorted(before)[0], "string")
    if before == {"string"} and after & {"object", "array"} and "string" not in after:
        return Delta("schema-type", Effect.NARROWS, "string", sorted(after)[0])
    return None


def _compare_encoding(report: Report, media: MediaType, base: Node, revision: Node, site: Site) -> None:
    """Fields that both sides have; a field without an entry is written by default."""
    for name in sorted(base.mapping("encoding").keys() | revision.mapping("encoding").keys()):
        before, after = base.child("encoding", name), revision.child("encoding", name)
        if not (_has_field(report, base, name) and _has_field(report, revision, name)):
            continue
        for keyword in ("style", "explode", "allowReserved"):
            _compare_keyword(report, keyword, before, after, f"{site.where}.{name}", site)
        if before.mapping("headers").keys() != after.mapping("headers").keys():
            shown = [sorted(each.mapping("headers")) for each in (before, after)]
            report.add(
                site.operation,
                f"{site.where}.{name}",
                site.direction,
                Delta("encoding", _headers_effect(before, after), shown[0], shown[1]),
            )
        _compare_content_types(report, before, after, f"{site.where}.{name}", site)


def _headers_effect(base: Node, revision: Node) -> Effect:
    """Headers of a part: one that is demanded narrows, one that is no longer taken does too."""
    before, after = base.mapping("headers"), revision.mapping("headers")
    demanded = any(revision.child("headers", name).resolved().get("required") is True for name in after.keys() - before)
    return of_sets(demanded or bool(before.keys() - after), bool(after.keys() - before))


def _has_field(report: Report, media: Node, name: str) -> bool:
    return name in report.comparison.shape(schema_parts(media)).properties


def _compare_keyword(report: Report, keyword: str, base: Node, revision: Node, where: str, site: Site) -> None:
    before, after = _written(base, keyword), _written(revision, keyword)
    if before != after:
        delta = Delta("encoding", Effect.INCOMPARABLE, {keyword: before}, {keyword: after})
        report.add(site.operation, where, site.direction, delta)


def _written(encoding: Node, keyword: str) -> Any:
    """The value of a keyword with its default."""
    if keyword == "style":
        return encoding.get("style", "form")
    if keyword == "explode":
        return encoding.get("explode", encoding.get("style", "form") == "form")
    return encoding.get("allowReserved", False)


def _compare_content_types(report: Report, base: Node, revision: Node, where: str, site: Site) -> None:
    before, after = _kinds(base), _kinds(revision)
    if before == after:
        return
    lost = any(not any(covers(new, old) for new in after) for old in before)
    won = any(not any(covers(old, new) for old in before) for new in after)
    shown = [encoding.get("contentType") for encoding in (base, revision)]
    effect = of_sets(lost, won) if before and after else of_sets(bool(after), bool(before))
    report.add(site.operation, where, site.direction, Delta("encoding", effect, *shown))


def _kinds(encoding: Node) -> list[MediaType]:
    text = encoding.get("contentType")
    return [parsed(each) for each in text.split(",")] if isinstance(text, str) else []


__all__ = ["compare_content", "schema_parts"]
