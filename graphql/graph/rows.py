"""Plain fields read straight from database rows, so that no object is built for each of them.

A resolver may return a row (by name: sqlite3.Row, asyncpg.Record, a mapping), any object with attributes, or an
instance of the GraphQL type. From the first two a field reads its column and converts it; an instance holds
finished values.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, is_introspection_type
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

COLUMN = "dovetail.column"
COST = "dovetail.cost"
BACKREF = GraphQLCoreConverter.DEFINITION_BACKREF

Convert = Callable[[Any], Any]
ConvertColumn = Callable[[Sequence[Any]], Sequence[Any]]
Shape = Literal["row", "instance", "object"]


class Column(NamedTuple):
    """Where a field stands in a row (None: under the field's own name), and what makes a value of it."""

    key: str | None = None
    convert: Convert | None = None


def column(
    *, description: str, key: str | None = None, convert: Convert | None = None, deprecated: str | None = None
) -> Any:
    """A plain field. `convert` is not called for null."""
    return strawberry.field(
        description=description, deprecation_reason=deprecated, metadata={COLUMN: Column(key, convert)}
    )


def field(
    description: str, graphql_type: Any = None, *, cost: int | None = None, deprecated: str | None = None
) -> Callable[[Callable[..., Any]], Any]:
    """A field with a resolver that serves no operation of its own: a nested edge, a value of the server.

    `graphql_type` where the resolver returns rows; `cost` replaces the field's own static cost.
    """
    metadata = {} if cost is None else {COST: cost}

    def declare(resolver: Callable[..., Any]) -> Any:
        return strawberry.field(
            resolver=resolver,
            description=description,
            graphql_type=graphql_type,
            deprecation_reason=deprecated,
            metadata=metadata,
        )

    return declare


def finished(convert: Convert, column: ConvertColumn | None = None) -> Convert:
    """Mark a converter whose values stand in the answer as they are, whatever the field's type would make of them.

    `column` does the same for all values of a column, which are of one kind.
    """
    convert.finished, convert.column = True, column  # type: ignore[attr-defined]
    return convert


def _raw_column(texts: Sequence[str | bytes]) -> list[Any]:
    return list(map(msgspec.Raw, texts))


def json_text(text: str | bytes) -> Any:
    """JSON text of the database, passed through to the answer unread."""
    return msgspec.Raw(text)


finished(json_text, _raw_column)


_SHAPES: dict[type, Shape] = {}


def shape_of(kind: type) -> Shape:
    """How values are read from objects of a class."""
    found = _SHAPES.get(kind)
    return _look_at(kind) if found is None else found


def _look_at(kind: type) -> Shape:
    if hasattr(kind, "__strawberry_definition__"):
        _SHAPES[kind] = "instance"
    else:
        _SHAPES[kind] = "row" if hasattr(kind, "keys") and hasattr(kind, "__getitem__") else "object"
    return _SHAPES[kind]


class TypedRow:
    """A row that knows its GraphQL type; needed where a field's type is an interface or a union."""

    __slots__ = ("row", "type_name")

    def __init__(self, type_name: str, row: Any) -> None:
        self.type_name, self.row = type_name, row

    def __getitem__(self, key: str) -> Any:
        return self.row[key]

    def keys(self) -> Any:
        return self.row.keys()


class AbsentAsNull(dict[str, Any]):
    """A row in which what is missing is null."""

    def __missing__(self, key: str) -> None:
        return None


class Reader:
    """Reads one plain field from whatever the parent resolver returned; callable as a graphql-core resolver."""

    __slots__ = ("convert", "key", "name")

    def __init__(self, name: str, column: Column) -> None:
        self.name, self.key, self.convert = name, column.key or name, column.convert

    def read(self, source: Any) -> Any:
        shape = shape_of(type(source))
        if shape == "instance":
            return getattr(source, self.name)
        value = source[self.key] if shape == "row" else getattr(source, self.key)
        return value if value is None or self.convert is None else self.convert(value)

    def __call__(self, source: Any, info: Any) -> Any:
        return self.read(source)


def definition_of(field: GraphQLField) -> StrawberryField | None:
    found = field.extensions.get(BACKREF)
    return found if isinstance(found, StrawberryField) else None


def metadata_of(field: GraphQLField) -> Mapping[Any, Any]:
    definition = definition_of(field)
    return {} if definition is None else definition.metadata


def install_readers(schema: GraphQLSchema) -> None:
    """Give every plain field its reader; fields with a resolver keep it."""
    for kind in schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or is_introspection_type(kind):
            continue
        for field in kind.fields.values():
            definition = definition_of(field)
            if definition is not None and getattr(field.resolve, "_is_default", False):
                field.resolve = Reader(definition.python_name, definition.metadata.get(COLUMN, Column()))
