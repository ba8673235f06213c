"""What a type stands for: interfaces, members of a union, values of an enum, the specification of a scalar."""

from functools import partial
from typing import Any

from graphql import GraphQLEnumType, GraphQLScalarType, GraphQLUnionType

from services.contracts.findings import Verdict
from services.contracts.sdl.comparison import Comparison


def compare_interfaces(found: Comparison, old: Any, new: Any) -> None:
    was, now = {i.name for i in old.interfaces}, {i.name for i in new.interfaces}
    for interface in sorted(was - now):
        proof = partial(found.witnesses.selecting, interface, f"... on {old.name} {{ __typename }}")
        said = f"{old.name} does not implement {interface} any more."
        found.add("interface-removed", old.name, said, before=interface, proof=proof)
    for interface in sorted(now - was):
        said = f"{old.name} implements {interface}."
        found.add("interface-added", old.name, said, after=interface, proof=_receiving(found, interface, old.name))


def _receiving(found: Comparison, place: str, member: str) -> Any:
    note = f"May be answered now, where {place} is."
    return partial(found.witnesses.received, place, {"__typename": member}, note)


def compare_union(found: Comparison, old: GraphQLUnionType, new: GraphQLUnionType) -> None:
    was, now = {t.name for t in old.types}, {t.name for t in new.types}
    for member in sorted(was - now):
        proof = partial(found.witnesses.selecting, old.name, f"... on {member} {{ __typename }}")
        said = f"{member} is not in {old.name} any more."
        sanction = "Only what was past its sunset led to it." if found.only_sunset_reaches(old.name) else None
        found.add("union-member-removed", old.name, said, before=member, proof=proof, sanction=sanction)
    for member in sorted(now - was):
        said = f"{old.name} may be {member}."
        found.add("union-member-added", old.name, said, after=member, proof=_receiving(found, old.name, member))


def compare_enum(found: Comparison, old: GraphQLEnumType, new: GraphQLEnumType) -> None:
    taken = old.name in found.witnesses.taken
    for value, item in old.values.items():
        where = f"{old.name}.{value}"
        if value in new.values:
            found.compare_deprecation(where, item, new.values[value])
            found.compare_description(where, item, new.values[value])
            continue
        found.add(
            "enum-value-removed",
            where,
            f"{where} is gone.",
            before=value,
            proof=partial(found.witnesses.given, old.name, value),
            sanction=found.sanction(item, where),
            # Where it is only answered, a reader who meets one value less is not hurt; a generated client names it.
            tolerant=None if taken else Verdict.NOTICE,
        )
    for value in new.values:
        if value not in old.values:
            note = "May be answered now; it was not among the values."
            proof = partial(found.witnesses.received, old.name, value, note)
            where = f"{old.name}.{value}"
            found.add("enum-value-added", where, f"{where} is new.", after=value, proof=proof)


def compare_scalar(found: Comparison, old: GraphQLScalarType, new: GraphQLScalarType) -> None:
    was, now = old.specified_by_url, new.specified_by_url
    urls: dict[str, Any] = {"before": was, "after": now}
    if was and now and was != now:
        found.add("specified-by-changed", old.name, f"{old.name} follows {now}; it followed {was}.", **urls)
    elif now and not was:
        found.add("specified-by-added", old.name, f"{old.name} follows {now}.", **urls)
    elif was and not now:
        found.add("specified-by-removed", old.name, f"{old.name} does not say any more that it follows {was}.", **urls)
