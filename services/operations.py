"""The operation: one declaration gives scope, audit action, transaction and error codes.

From the table of operations come the REST security, the `@requires` directives, the parity matrix, the
scope documentation and the metric labels. Nothing else checks scopes.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast

import msgspec

from app.auth.scopes import Scope
from app.errors import DomainError, InstallationScopeDenied, Internal, ScopeDenied
from services.context import Context

P = ParamSpec("P")
T = TypeVar("T")
Call = Callable[Concatenate[Context, P], Coroutine[Any, Any, T]]

#: `True` runs the whole operation in one transaction; `"parts"` leaves it to the operation, because it
#: calls elsewhere and must not hold a transaction meanwhile.
Writes = Literal[False, True, "parts"]


class Operation(msgspec.Struct, frozen=True):
    """What is declared of an operation. `scope` None means: any caller with a valid credential."""

    name: str
    domain: str
    scope: Scope | None
    audit: str | None
    writes: Writes
    raises: tuple[type[DomainError], ...]
    summary: str
    only: Literal["installation"] | None = None


OPERATIONS: dict[str, Operation] = {}


def operation(
    *,
    scope: Scope | None,
    audit: str | None = None,
    writes: Writes = False,
    raises: Sequence[type[DomainError]] = (),
    only: Literal["installation"] | None = None,
) -> Callable[[Call[P, T]], Call[P, T]]:
    """Declare an async function as an operation; its first argument is the Context."""
    if bool(writes) != bool(audit):
        raise TypeError("an operation that writes names its audit action, and only such a one does")

    def declare(function: Call[P, T]) -> Call[P, T]:
        declared = _declare(function, scope, audit, writes, raises, only)

        @functools.wraps(function)
        async def run(context: Context, *args: P.args, **kwargs: P.kwargs) -> T:
            await check_scope(context, declared)
            if not writes:
                return await function(context, *args, **kwargs)
            context.action = declared.audit
            return await _run_write(declared, context, lambda: function(context, *args, **kwargs))

        run.operation = declared  # type: ignore[attr-defined]
        return cast(Call[P, T], run)

    return declare


def _declare(
    function: Callable[..., object],
    scope: Scope | None,
    audit: str | None,
    writes: Writes,
    raises: Sequence[type[DomainError]],
    only: Literal["installation"] | None,
) -> Operation:
    name = function.__name__
    if name in OPERATIONS:
        raise TypeError(f"operation {name} is declared twice")
    domain = function.__module__.split(".")[1]
    summary = (inspect.getdoc(function) or "").partition("\n")[0]
    OPERATIONS[name] = Operation(name, domain, scope, audit, writes, tuple(raises), summary, only)
    return OPERATIONS[name]


async def check_scope(context: Context, declared: Operation) -> None:
    """Raise the denial, after it has been recorded, where the caller may not run the operation."""
    who = context.principal
    if declared.only is not None and who.kind != declared.only:
        raise await _denied(context, declared, ScopeDenied("Only an installation's own key can ask this."))
    if declared.scope is None or who.holds(declared.scope):
        return
    granted = sorted(who.scopes)
    error = (
        InstallationScopeDenied(required_scope=str(declared.scope), granted_scopes=granted)
        if who.kind == "installation"
        else ScopeDenied(
            f"This needs the scope {declared.scope}.", required_scope=str(declared.scope), granted_scopes=granted
        )
    )
    raise await _denied(context, declared, error)


async def _denied(context: Context, declared: Operation, error: DomainError) -> DomainError:
    entry = context.entry(error.denial or "auth.scope_denied", "deny")
    entry.resource, entry.resource_id = "operation", declared.name
    entry.installation, entry.code, entry.rule = context.principal.installation, error.code, "scope"
    entry.expected = str(declared.scope or declared.only)
    entry.seen = " ".join(sorted(context.principal.scopes)) or "no scope"
    await context.runtime.denials.record(entry)
    return error


async def _run_write(declared: Operation, context: Context, call: Callable[[], Awaitable[T]]) -> T:
    try:
        result = await (call() if declared.writes == "parts" else context.write(call))
    except DomainError as error:
        context.status = error.status
        raise
    except Exception:
        context.status = Internal.status
        await _failed(context, declared)
        raise
    context.status = 200
    return result


async def _failed(context: Context, declared: Operation) -> None:
    """What broke unexpectedly is in the history too, in a transaction of its own."""
    entry = context.entry(declared.audit or declared.name, "error")
    entry.resource, entry.resource_id, entry.code = "operation", declared.name, "internal_error"
    await context.runtime.record([entry])


def declared(function: Callable[..., object]) -> Operation:
    """The declaration of an operation, from its function."""
    found = getattr(function, "operation", None)
    if not isinstance(found, Operation):
        raise TypeError(f"{function!r} is no operation")
    return found
