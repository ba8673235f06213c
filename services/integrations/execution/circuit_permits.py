"""Leave to make one call, and what the call says of its circuit."""

from typing import Protocol

from services.integrations.execution.circuit_knowledge import Known
from services.integrations.execution.circuit_rows import Upstream
from services.integrations.execution.windows import FAILURE, SUCCESS, Counts


class Reported(Protocol):
    """Who hears of calls."""

    def count(self, upstream: Upstream, known: Known, counts: Counts) -> bool: ...

    async def open(self, upstream: Upstream, known: Known) -> None: ...

    async def probed(self, upstream: Upstream, known: Known, owner: str, *, failed: bool | None) -> None: ...


class Permit:
    """Leave to make one call. Exactly one of `succeeded`, `failed` and `unsettled` is to be called when it is over."""

    __slots__ = ("_circuits", "_known", "_probe", "_upstream")

    def __init__(self, circuits: Reported, upstream: Upstream, known: Known, probe: str | None) -> None:
        self._circuits, self._upstream, self._known, self._probe = circuits, upstream, known, probe

    async def succeeded(self) -> None:
        if self._probe is not None:
            await self._circuits.probed(self._upstream, self._known, self._probe, failed=False)
        elif self._known.closed:
            self._circuits.count(self._upstream, self._known, SUCCESS)

    async def failed(self) -> None:
        if self._probe is not None:
            await self._circuits.probed(self._upstream, self._known, self._probe, failed=True)
        # A call that began before the circuit opened says nothing new.
        elif self._known.closed and self._circuits.count(self._upstream, self._known, FAILURE):
            await self._circuits.open(self._upstream, self._known)

    async def unsettled(self) -> None:
        """The call says nothing of the other side: it was refused here, given up, or told to slow down."""
        if self._probe is not None:
            await self._circuits.probed(self._upstream, self._known, self._probe, failed=None)
