"""What an operation is given: who asks, from which surface, in which request, and the parts of the server.

One is made for each request, by the same code on every surface.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from app.auth.principal import Principal
from app.database import Database
from services.chain.entries import Entry, Outcome, Surface, snapshot, to_row, write_entries

if TYPE_CHECKING:
    from services.limits import Verdict
    from services.runtime import Runtime

T = TypeVar("T")


class Context:
    """The state of one request on its way through an operation."""

    __slots__ = (
        "_after_commit",
        "_noted",
        "action",
        "principal",
        "reached",
        "request_id",
        "runtime",
        "status",
        "surface",
        "verdict",
    )

    def __init__(self, runtime: "Runtime", principal: Principal, surface: Surface, request_id: str) -> None:
        self.runtime, self.principal = runtime, principal
        self.surface, self.request_id = surface, request_id
        self.action: str | None = None
        #: Whether something was asked elsewhere that may have changed something there.
        self.reached = False
        #: What became of the operation that changes something: 200, or the status of its refusal; None before it ran.
        self.status: int | None = None
        #: What a limit of the operation's own said, beside the caller's.
        self.verdict: Verdict | None = None
        self._noted: list[Entry] = []
        self._after_commit: list[Callable[[], None]] = []

    @property
    def tenant(self) -> UUID:
        return self.principal.tenant

    @property
    def database(self) -> Database:
        return self.runtime.database

    @property
    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self.runtime.clock.now_ms()

    def note(
        self,
        resource: str,
        resource_id: object,
        *,
        action: str | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        installation: UUID | None = None,
        outcome: Outcome = "allow",
    ) -> None:
        """Say what was done to what; written as an audit event in the transaction that does it."""
        entry = self.entry(action or self.action or "unnamed", outcome)
        entry.resource, entry.resource_id, entry.installation = resource, str(resource_id), installation
        entry.before, entry.after = snapshot(before), snapshot(after)
        self._noted.append(entry)

    def entry(self, action: str, outcome: Outcome) -> Entry:
        """An audit event of this caller, yet to be filled in."""
        who = self.principal
        return Entry(
            tenant=who.tenant,
            at=self.now,
            actor_kind=who.kind,
            actor_id=who.subject,
            actor_name=who.name,
            kid=who.kid,
            surface=self.surface,
            action=action,
            outcome=outcome,
            request_id=self.request_id,
        )

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run once the change is there for everybody to see, and not if it never is."""
        self._after_commit.append(call)

    async def write(self, change: Callable[[], Awaitable[T]]) -> T:
        """Run a change and its audit events in one transaction, again where the database asks for it."""

        async def attempt() -> T:
            self._forget()
            result = await change()
            await write_entries(self.database, self._noted, self.runtime.audit_key)
            return result

        result = await self.database.in_transaction(attempt)
        self._settle()
        return result

    async def write_told(self, change: Callable[[Mapping[str, Any]], Awaitable[object]]) -> None:
        """Run a change of one statement that writes the noted event too; it is given the event's columns."""
        try:
            (entry,) = self._noted
            await change(to_row(entry, self.runtime.audit_key))
        except BaseException:
            self._forget()
            raise
        self._settle()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """The same for an operation that does part of its work (a call to elsewhere) outside."""
        try:
            async with self.database.transaction():
                yield
                await write_entries(self.database, self._noted, self.runtime.audit_key)
        except BaseException:
            self._forget()
            raise
        self._settle()

    def _forget(self) -> None:
        self._noted.clear()
        self._after_commit.clear()

    def _settle(self) -> None:
        noted, calls = bool(self._noted), list(self._after_commit)
        self._forget()
        for call in calls:
            call()
        if noted:
            self.runtime.sealer.wake()
