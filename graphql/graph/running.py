"""Running what was admitted: one answer for a query or a mutation, many for a subscription."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from inspect import isawaitable
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, execute, subscribe
from strawberry.execution.is_awaitable import optimized_is_awaitable

from app.errors import DomainError
from graph.admission import Admitted
from graph.errors import formatted, refusal, unexpected
from graph.execution import PlannedExecutor
from graph.once import answered_once


class NotExecuted(Exception):
    """The request was refused before any field ran, or a stream broke. `entries` are its `errors`."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        super().__init__(entries[0]["message"])
        self.entries = entries


async def run(schema: GraphQLSchema, admitted: Admitted) -> dict[str, Any]:
    """The answer to a query or a mutation. Raises NotExecuted, as for a variable of the wrong type.

    With an idempotency key, raises what services.idempotency raises too.
    """
    if admitted.once is None:
        return await _run(schema, admitted)
    content, replayed = await answered_once(admitted.graph.context, admitted.once, partial(_run, schema, admitted))
    if replayed:
        await admitted.settle(content)
    content["extensions"] = {"cost": admitted.cost_report(), "idempotency": {"replayed": replayed}}
    return content


async def _run(schema: GraphQLSchema, admitted: Admitted) -> dict[str, Any]:
    is_awaitable: Any = optimized_is_awaitable
    try:
        result: Any = execute(schema, executor_class=PlannedExecutor, is_awaitable=is_awaitable, **_arguments(admitted))
        content = answer(admitted, await result if isawaitable(result) else result)
        await admitted.settle(content)
        return content
    finally:
        # graphql-core's executor is a reference cycle; the rows must not wait for the collector with it.
        admitted.graph.forget_loaded()


def answer(admitted: Admitted, result: ExecutionResult) -> dict[str, Any]:
    """`{data, errors?, extensions}`, ready to be encoded."""
    content: dict[str, Any] = {"data": result.data}
    if result.errors:
        entries = formatted(result.errors, admitted.graph.context.request_id)
        if result.data is None and not any(error.path for error in result.errors):
            raise NotExecuted(entries)
        content["errors"] = entries
    content["extensions"] = {"cost": admitted.cost_report()}
    return content


async def run_stream(schema: GraphQLSchema, admitted: Admitted) -> AsyncGenerator[dict[str, Any], None]:
    """The answers to any operation, one by one. Raises NotExecuted where the stream cannot start or go on."""
    if admitted.operation.kind != "subscription":
        yield await run(schema, admitted)
        return
    request_id = admitted.graph.context.request_id
    source: Any = subscribe(schema, executor_class=PlannedExecutor, **_arguments(admitted))
    source = await source if isawaitable(source) else source
    if isinstance(source, ExecutionResult):
        raise NotExecuted(formatted(source.errors or [], request_id))
    async with aclosing(source) as results:
        while True:
            try:
                result = await anext(results)
            except StopAsyncIteration:
                return
            except Exception as error:
                raise NotExecuted([_broken(error, request_id)]) from error
            yield answer(admitted, result)


def _broken(error: Exception, request_id: str) -> dict[str, Any]:
    if isinstance(error, DomainError):
        return refusal(error, request_id)
    if isinstance(error, GraphQLError):
        return formatted([error], request_id)[0]
    return unexpected(error, request_id, "a subscription failed")


def _arguments(admitted: Admitted) -> dict[str, Any]:
    return {
        "document": admitted.operation.document,
        "context_value": admitted.graph,
        "variable_values": dict(admitted.variables),
        "operation_name": admitted.operation.name,
        "operation_extensions": dict(admitted.extensions),
    }
