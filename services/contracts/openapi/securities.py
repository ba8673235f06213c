"""Security: alternatives of demands. Who got in before must get in after, by the same credential."""

from dataclasses import dataclass
from typing import Any

from services.contracts.findings import Direction, Effect
from services.contracts.openapi.documents import Document, Node
from services.contracts.openapi.pairs import Delta
from services.contracts.openapi.reports import Report
from services.contracts.openapi.sent import with_credentials

#: What a scheme is, beyond its name; the rest is for people.
#: The two addresses of metadata name the issuer, and tokens of another issuer are refused.
_IDENTITY = ("type", "in", "name", "scheme", "bearerFormat", "openIdConnectUrl", "oauth2MetadataUrl")
#: Where a flow obtains its credential. What this API accepts stays the same; clients have the address built in.
_FLOW = ("authorizationUrl", "tokenUrl", "refreshUrl", "deviceAuthorizationUrl")


@dataclass(frozen=True, slots=True)
class Demand:
    """One scheme with its scopes, of one alternative."""

    scheme: str
    scopes: frozenset[str]


Alternative = frozenset[Demand]


def alternatives_of(document: Document, operation: Node) -> dict[Alternative, None]:
    """The ways to get in, in the document's order; the empty one is open to all."""
    listed = operation.get("security", document.root.get("security"))
    if not isinstance(listed, list) or not listed:
        return {frozenset(): None}
    return {_alternative(each): None for each in listed if isinstance(each, dict)} or {frozenset(): None}


def _alternative(requirement: dict[str, Any]) -> Alternative:
    return frozenset(
        Demand(str(name), frozenset(map(str, scopes if isinstance(scopes, list) else ())))
        for name, scopes in requirement.items()
    )


def compare_security(
    report: Report, base: tuple[Document, Node], revision: tuple[Document, Node], operation: str, direction: Direction
) -> None:
    """Each way of the base must be enough for one way of the revision."""
    before, after = alternatives_of(*base), alternatives_of(*revision)
    lost = [each for each in before if not any(_enough(each, other, base[0], revision[0]) for other in after)]
    for each in lost:
        delta = _lost(each, list(after), base[0], revision[0])
        report.add(operation, "security", direction, delta)
    _compare_addresses(report, (base[0], before), (revision[0], after), operation)
    if not lost and any(not any(_enough(each, other, base[0], revision[0]) for each in before) for other in after):
        delta = Delta("security-relaxed", Effect.WIDENS, _shown(list(before)), _shown(list(after)))
        report.add(operation, "security", direction, delta)


def _compare_addresses(
    report: Report,
    base: tuple[Document, dict[Alternative, None]],
    revision: tuple[Document, dict[Alternative, None]],
    operation: str,
) -> None:
    """Where the credentials of schemes that both sides demand are obtained."""
    names = [{demand.scheme for way in ways for demand in way} for _, ways in (base, revision)]
    for name in sorted(names[0] & names[1]):
        before, after = scheme(base[0], name), scheme(revision[0], name)
        kinds = sorted(before.mapping("flows").keys() & after.mapping("flows").keys(), key=str)
        places = [("flows", str(kind), each) for kind in kinds for each in _FLOW]
        for place in places:
            old, new = before.child(*place).value, after.child(*place).value
            if old != new:
                delta = Delta("security-address", Effect.INCOMPARABLE, old, new, f".{name}.{'.'.join(place)}")
                report.add(operation, "security", Direction.CONTRACT, delta)


def _enough(credential: Alternative, demanded: Alternative, base: Document, revision: Document) -> bool:
    """Whether who satisfies `credential` satisfies `demanded`, scheme by scheme."""
    free = sorted(credential, key=lambda each: each.scheme)
    for wanted in sorted(demanded, key=lambda each: each.scheme):
        held = next((each for each in free if _satisfies(each, wanted, base, revision)), None)
        if held is None:
            return False
        free.remove(held)
    return True


def _satisfies(held: Demand, wanted: Demand, base: Document, revision: Document) -> bool:
    """The same scheme by name, or a renamed one: gone there, new here, and equal."""
    renamed = scheme(revision, held.scheme).value is None and scheme(base, wanted.scheme).value is None
    if held.scheme != wanted.scheme and not renamed:
        return False
    return wanted.scopes <= held.scopes and not _scheme_changes(base, held, revision, wanted)


def scheme(document: Document, name: str) -> Node:
    return document.root.child("components", "securitySchemes", name).resolved()


def _scheme_changes(base: Document, held: Demand, revision: Document, wanted: Demand) -> list[str]:
    """What differs between two schemes; a scheme that is defined nowhere is its name."""
    before, after = scheme(base, held.scheme), scheme(revision, wanted.scheme)
    if before.value is None or after.value is None:
        return [] if held.scheme == wanted.scheme else ["name"]
    changed = [each for each in _IDENTITY if _identity(before, each) != _identity(after, each)]
    return changed + _flow_changes(before, after, wanted.scopes)


def _identity(node: Node, name: str) -> Any:
    """HTTP knows no case in header names and in the names of its own schemes."""
    value = node.get(name)
    lower = name == "scheme" or (name == "name" and node.get("in") == "header")
    return value.lower() if lower and isinstance(value, str) else value


def _flow_changes(before: Node, after: Node, scopes: frozenset[str]) -> list[str]:
    """Flows that went, or offer a scope no longer that is demanded."""
    changed = []
    for kind, flow in before.items("flows"):
        other = after.child("flows", kind)
        if flow.value == other.value:
            continue
        if not isinstance(other.value, dict):
            changed.append(f"flows.{kind}")
            continue
        had, has = flow.mapping("scopes").keys(), other.mapping("scopes").keys()
        changed += [f"flows.{kind}.scopes.{each}" for each in sorted((had - has) & scopes)]
    return changed


def _lost(lost: Alternative, after: list[Alternative], base: Document, revision: Document) -> Delta:
    """A way in that is gone, with a request that took it."""
    delta = _named(lost, after, base, revision)
    ways = sorted(lost, key=lambda each: each.scheme)
    found = [(each.scheme, scheme(base, each.scheme).value, each.scopes) for each in ways]
    known = [(name, value if isinstance(value, dict) else {}, scopes) for name, value, scopes in found]
    delta.witness = with_credentials(known)
    return delta


def _named(lost: Alternative, after: list[Alternative], base: Document, revision: Document) -> Delta:
    """The cause in the words of what changed most likely: a scheme, a scope, or the way itself."""
    shown = _shown([lost])
    if not lost:
        return Delta("security-added", Effect.NARROWS, None, _shown(after))
    for other in after:
        if {each.scheme for each in other} != {each.scheme for each in lost}:
            continue
        for held in sorted(lost, key=lambda each: each.scheme):
            wanted = next(each for each in other if each.scheme == held.scheme)
            changed = _scheme_changes(base, held, revision, wanted)
            if changed:
                return _scheme_delta(held.scheme, changed, scheme(base, held.scheme), scheme(revision, held.scheme))
            if wanted.scopes - held.scopes:
                return Delta("security-scope-added", Effect.NARROWS, shown, sorted(wanted.scopes - held.scopes))
    return Delta("security-alternative-removed", Effect.NARROWS, shown, _shown(after))


def _scheme_delta(name: str, changed: list[str], before: Node, after: Node) -> Delta:
    path = changed[0].split(".")
    values = [node.child(*path).value for node in (before, after)]
    shown = [each if not isinstance(each, dict) else name for each in values]
    return Delta("security-scheme", Effect.NARROWS, shown[0], shown[1], f".{name}.{changed[0]}")


def _shown(alternatives: list[Alternative]) -> list[str]:
    return sorted(
        " and ".join(
            sorted(f"{each.scheme}({', '.join(sorted(each.scopes))})" if each.scopes else each.scheme for each in way)
        )
        or "none"
        for way in alternatives
    )
