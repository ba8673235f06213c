"""A mutation that is sent again with the same key: answered as before, and not done again.

The key is the header `Idempotency-Key`, as on REST; where an operation has no header of its own, as on a WebSocket, it
is `extensions.idempotencyKey` of the request.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, OperationDefinitionNode, SelectionSetNode

from app.errors import QueryRefused
from graph.documents import Operation, document_id
from graph.wire import GraphqlRequest
from services.context import Context
from services.idempotency import Answer, Asked, once

_EXTENSION = "idempotencyKey"
_PATH = "/graphql"


def asked_once(request: GraphqlRequest, operation: Operation, header: str | None) -> Asked | None:
    """What is to be done once; None without a key, and for what changes nothing. Raises QueryRefused.

    The same document, operation and variables are the same request, however they are written.
    """
    key = header if header is not None else (request.extensions or {}).get(_EXTENSION)
    if key is None or operation.kind != "mutation":
        return None
    if not isinstance(key, str):
        raise QueryRefused(f"extensions.{_EXTENSION} must be a text.")
    if (number := sum(1 for _ in _fields(operation))) != 1:
        raise QueryRefused(f"An Idempotency-Key goes with one mutation field; this operation has {number}.")
    document = request.document_id or document_id(request.query or "")
    said = [document, operation.name, request.variables or {}]
    return Asked(key, "POST", _PATH, msgspec.json.encode(said, order="deterministic"))


def _fields(operation: Operation) -> Iterator[FieldNode]:
    """The fields of an operation itself, its fragments expanded; the document was found to have no cycles."""
    definitions = operation.document.definitions
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}

    def within(selections: SelectionSetNode) -> Iterator[FieldNode]:
        for each in selections.selections:
            if isinstance(each, FragmentSpreadNode):
                yield from within(fragments[each.name.value].selection_set)
            elif not isinstance(each, FieldNode):
                yield from within(each.selection_set)  # type: ignore[attr-defined]
            elif each.name.value != "__typename":
                yield each

    for definition in definitions:
        name = definition.name.value if isinstance(definition, OperationDefinitionNode) and definition.name else None
        if isinstance(definition, OperationDefinitionNode) and name == operation.name:
            yield from within(definition.selection_set)


async def answered_once(
    context: Context, asked: Asked, execute: Callable[[], Awaitable[dict[str, Any]]]
) -> tuple[dict[str, Any], bool]:
    """Data and errors of the answer, and whether they were given before."""

    async def work() -> Answer:
        content = await execute()
        kept = {name: content[name] for name in ("data", "errors") if name in content}
        # Where nothing that changes anything ran, there is nothing to keep.
        return Answer(context.status or 503, {}, msgspec.json.encode(kept))

    done = await once(context, asked, work)
    return msgspec.json.decode(done.answer.body), done.replayed
