"""One transaction class for both engines: nested blocks are savepoints, and the connection always comes back.

Upstream keeps the pooled connection for ever when BEGIN or COMMIT fails, and treats a nested block as no
block at all; that is why none of it is used here.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from piccolo.engine.base import BaseTransaction, validate_savepoint_name
from piccolo.engine.exceptions import TransactionError

from app.database.outages import translated

if TYPE_CHECKING:
    from contextvars import ContextVar


class TransactionalEngine(Protocol):
    """What a transaction needs from an engine; connections are the engine's own kind."""

    current_transaction: ContextVar[Any]
    #: Transactions that may have been committed; who compares it sees that something here may have changed.
    transactions_ended: int

    def live_transaction(self) -> Transaction | None: ...

    async def checkout(self) -> Any: ...

    async def command(self, connection: Any, sql: str) -> None: ...

    async def checkin(self, connection: Any, *, ended: bool) -> None:
        """Give the connection back, and where the transaction has not `ended` roll it back first; raises nothing."""


class Savepoint:
    """A named point of a transaction, kept for code written against Piccolo."""

    def __init__(self, transaction: Transaction, name: str) -> None:
        validate_savepoint_name(name)
        self.transaction, self.name = transaction, name

    async def rollback_to(self) -> None:
        await self.transaction.command(f'ROLLBACK TO SAVEPOINT "{self.name}"')

    async def release(self) -> None:
        await self.transaction.command(f'RELEASE SAVEPOINT "{self.name}"')


class Transaction(BaseTransaction):
    """`async with` block; entering it inside another of the same engine opens a savepoint.

    Statements of tasks started inside the block join it, one at a time. Once the block has ended,
    tasks that inherited it work outside.
    """

    def __init__(self, engine: TransactionalEngine, begin: str = "BEGIN", allow_nested: bool = True) -> None:
        self.engine, self._begin = engine, begin
        self.parent = engine.live_transaction()
        if self.parent is not None and not allow_nested:
            raise TransactionError("A transaction is already active.")
        self.connection: Any = None
        self.turn = asyncio.Lock()
        self.live = False
        self._settled = False
        self._savepoints = 0
        self._token: Token[Any] | None = None
        self._nested: Savepoint | None = None

    async def command(self, sql: str) -> None:
        with translated:
            async with self.turn:
                await self.engine.command(self.connection, sql)

    async def __aenter__(self) -> Transaction:
        if self.parent is not None:
            self._nested = await self.parent.savepoint()
            return self.parent
        with translated:
            self.connection = await self.engine.checkout()
        try:
            await self.command(self._begin)
        except BaseException:
            await asyncio.shield(self.engine.checkin(self.connection, ended=False))
            raise
        self.live = True
        self._token = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._nested is not None:
            await self._leave_nested(self._nested, failed=error is not None)
            return False
        ended = False
        try:
            if error is None and not self._settled:
                await self.command("COMMIT")
                ended = True
        finally:
            self.live = False
            self.engine.transactions_ended += 1
            self._reset()
            # A cancelled caller must not leave before the connection is back.
            await asyncio.shield(self.engine.checkin(self.connection, ended=ended))
        return False

    async def _leave_nested(self, savepoint: Savepoint, *, failed: bool) -> None:
        if not failed:
            await savepoint.release()
            return
        # Where the connection is gone, the outer block says so; the inner error must not be hidden.
        with contextlib.suppress(Exception):
            await asyncio.shield(self._undo(savepoint))

    async def _undo(self, savepoint: Savepoint) -> None:
        await savepoint.rollback_to()
        await savepoint.release()

    def _reset(self) -> None:
        if self._token is not None:
            # An async generator may be closed in another context than it was opened in.
            with contextlib.suppress(ValueError):
                self.engine.current_transaction.reset(self._token)

    async def savepoint(self, name: str | None = None) -> Savepoint:
        self._savepoints += 1
        point = Savepoint(self, name or f"savepoint_{self._savepoints}")
        await self.command(f'SAVEPOINT "{point.name}"')
        return point

    async def rollback_to(self, savepoint_name: str) -> None:
        await Savepoint(self, savepoint_name).rollback_to()

    async def commit(self) -> None:
        """End the transaction early; what follows in the block runs outside of it."""
        self.live, self._settled = False, True
        try:
            await self.command("COMMIT")
        finally:
            self.engine.transactions_ended += 1

    async def rollback(self) -> None:
        """Undo everything early; what follows in the block runs outside of it."""
        self.live, self._settled = False, True
        await self.command("ROLLBACK")
