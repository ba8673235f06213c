"""The values that a place in a typed body may have, where they are listed; for the sentence that refuses another."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import inspect


def choices_at(kind: Any, path: Sequence[str]) -> list[str]:
    """The values of a Literal or an enum at a path of names and positions (`*` is any); empty where there are none."""
    found = list(_alternatives(inspect.type_info(kind)))
    for name in path:
        found = [one for each in found for inner in _inner(each, name) for one in _alternatives(inner)]
    listed = [value for each in found for value in _values(each)]
    return list(dict.fromkeys(str(value) for value in listed))


def _alternatives(kind: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        yield from _alternatives(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from _alternatives(each)
    else:
        yield kind


def _inner(kind: inspect.Type, name: str) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.StructType):
        yield from (field.type for field in kind.fields if field.encode_name == name)
    elif isinstance(kind, inspect.DictType):
        yield kind.value_type
    elif isinstance(kind, inspect.CollectionType):
        yield kind.item_type


def _values(kind: inspect.Type) -> Sequence[Any]:
    if isinstance(kind, inspect.LiteralType):
        return kind.values
    return [member.value for member in kind.cls] if isinstance(kind, inspect.EnumType) else ()
