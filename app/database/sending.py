"""What both engines do alike: each statement goes into the transaction of its task, where there is one, or alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from app.database.counting import StatementLogs
from app.database.outages import translated
from app.database.transactions import Transaction

Shape = TypeVar("Shape", bound=str)


class SendingEngine(ABC, Generic[Shape]):
    """Goes before the engine of Piccolo. `Shape` are the forms in which an engine gives rows."""

    current_transaction: ContextVar[Any]

    def __init__(self, **given: Any) -> None:
        self.logs = StatementLogs()
        self.transactions_ended = 0
        super().__init__(**given)

    async def check_version(self) -> None:
        """Nothing: constructing an engine must not depend on a database."""

    def live_transaction(self) -> Transaction | None:
        transaction: Any = self.current_transaction.get()
        return transaction if transaction is not None and transaction.live else None

    async def send(self, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
        """One statement, in the transaction of this task where there is one."""
        if self.logs:
            self.logs.add(sql)
        transaction = self.live_transaction()
        with translated:
            if transaction is not None:
                async with transaction.turn:
                    # It may have ended while this task waited for its turn, and the connection be another's by now.
                    if transaction.live:
                        return await self._send_inside(transaction.connection, shape, sql, args)
            return await self._send_alone(shape, sql, args)

    @abstractmethod
    async def _send_inside(self, connection: Any, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
        """On the connection of a transaction."""

    @abstractmethod
    async def _send_alone(self, shape: Shape, sql: str, args: Sequence[Any]) -> Any:
        """In autocommit."""
