"""Opaque typed ids, and the fields `node` and `nodes` that find anything by one."""

import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app import base64url
from app.errors import NotFound, ScopeDenied, ValidationFailed
from graph.loaders import Loader
from graph.request import GraphContext, Info
from graph.rows import Convert, ConvertColumn, TypedRow, column, field, finished, shape_of
from services.context import Context

MOST_IDS = 100
#: Finds rows of one type by their ids; strangers and the missing are left out.
FindRows = Callable[[Context, list[UUID]], Awaitable[Mapping[UUID, Any]]]

_LOADERS: dict[str, Loader[UUID, Any]] = {}


def to_global_id(type_name: str, local_id: UUID | str) -> str:
    if isinstance(local_id, str):
        local_id = UUID(local_id)  # one spelling
    return base64url.encode(f"{type_name}:{local_id}".encode())


def parse_global_id(text: str) -> tuple[str, UUID] | None:
    """Type name and id, or None for a text that is no id of ours."""
    try:
        type_name, _, local_id = base64url.decode(text).decode().partition(":")
        return type_name, UUID(local_id)
    except ValueError:
        return None


def from_global_id(text: str, expected: str, argument: str = "id") -> UUID:
    """The id of an `expected`. Raises ValidationFailed, naming the argument."""
    found = parse_global_id(text)
    if found is None or found[0] != expected:
        article = "an" if expected[0] in "AEIOU" else "a"
        raise ValidationFailed({argument: f"must be the id of {article} {expected}"})
    return found[1]


def global_id(type_name: str) -> Convert:
    """A column's converter."""
    # Base64 of these characters never has + or /, so that it is URL-safe as it is; this is done for every row.
    prefix, encode = f"{type_name}:".encode(), binascii.b2a_base64

    def convert(local_id: Any) -> str:
        if type(local_id) is str:
            local_id = UUID(local_id)
        return encode(prefix + str(local_id).encode(), newline=False).rstrip(b"=").decode()

    return finished(convert, _global_ids(f"{type_name}:"))


#: What is put behind a text of 3n, 3n+1 or 3n+2 characters: its base64 ends as it does alone, and slashes follow.
_FILLINGS = (("\xff\xff\xff", "////"), ("\x0f\xff", "//"), ("\x3f", "/"))


def _global_ids(prefix: str) -> ConvertColumn:
    """The ids of a whole column, encoded as one text and split where its fillings are."""
    filling, slashes = _FILLINGS[(len(prefix) + 36) % 3]
    between = filling + prefix

    def convert(local_ids: Sequence[Any]) -> list[str]:
        if type(local_ids[0]) is str:
            local_ids = list(map(UUID, local_ids))
        text = f"{prefix}{between.join(map(str, local_ids))}{filling}"
        return binascii.b2a_base64(text.encode("latin-1"), newline=False).decode().split(slashes)[:-1]

    return convert


def id_column(type_name: str, key: str = "id") -> Any:
    """The field `id` of a type."""
    return column(key=key, convert=global_id(type_name), description="The opaque id, the same for ever.")


@strawberry.interface(description="Anything that has an id of its own.")
class Node:
    id: strawberry.ID = column(description="The opaque id, the same for ever.")

    @classmethod
    def is_type_of(cls, source: Any, info: Any) -> bool:
        """Rows are of the type that their field declares; only a TypedRow may stand for an interface."""
        if isinstance(source, TypedRow):
            return bool(source.type_name == cls.__strawberry_definition__.name)  # type: ignore[attr-defined]
        return isinstance(source, cls) or shape_of(type(source)) != "instance"

    @classmethod
    def resolve_type(cls, source: Any, info: Any, abstract: Any) -> str | None:
        if isinstance(source, TypedRow):
            return source.type_name
        definition = getattr(source, "__strawberry_definition__", None)
        return None if definition is None else str(definition.name)


def register_node(type_name: str, find: FindRows) -> None:
    """Let `node` and `nodes` find a type. `find` calls operations, so that scope and tenant are checked."""
    if type_name in _LOADERS:
        raise TypeError(f"{type_name} is registered twice")
    _LOADERS[type_name] = Loader(find)


async def find_node(graph: GraphContext, text: str) -> TypedRow | None:
    """The row of an id; None where it is missing, another tenant's, or out of the caller's scope."""
    found = parse_global_id(text)
    if found is None or found[0] not in _LOADERS:
        return None
    try:
        row = await _LOADERS[found[0]].load(graph, found[1])
    except (NotFound, ScopeDenied):
        return None
    return None if row is None else TypedRow(found[0], row)


def one_by_one(get: Callable[[Context, UUID], Awaitable[Any]]) -> FindRows:
    """A `find` over an operation that gets one row and raises NotFound."""

    async def find(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
        rows: dict[UUID, Any] = {}
        for wanted in ids:
            try:
                rows[wanted] = await get(context, wanted)
            except NotFound:
                continue
        return rows

    return find


def _nodes(info: Info, ids: Sequence[str]) -> list[Awaitable[TypedRow | None]]:
    if len(ids) > MOST_IDS:
        raise ValidationFailed({"ids": f"must be at most {MOST_IDS}"})
    return [find_node(info.context, str(text)) for text in ids]


@strawberry.type
class NodeQuery:
    @field("Whatever has this id; null where nothing has, or nothing that the caller may see.", Node | None)
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="An opaque id.")]
    ) -> Any:
        return await find_node(info.context, str(id))

    @field("Whatever has these ids, in their order, with null in the place of what is not found.", list[Node | None])
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 opaque ids.")],
    ) -> Any:
        return _nodes(info, ids)
