"""Importing lines in batches; a batch that fails is tried line by line, so that one line spoils only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from app.cli.import_lines import Line
from app.cli.import_progress import Progress
from app.errors import DomainError, Unavailable

if TYPE_CHECKING:
    from services.context import Context
    from services.people.importing import ImportedPerson

BATCH_LINES = 200
#: A batch is one transaction, and SQLite's other writers wait for it.
BATCH_BYTES = 4_000_000


class Importer:
    """Imports lines and counts them in `progress`; `told` hears of each bad line, `people` grows by who is queued."""

    def __init__(self, fresh: Callable[[], Context], progress: Progress, told: Callable[[int, str], None]) -> None:
        self._fresh, self._told = fresh, told
        self.progress = progress
        self.people: list[UUID] = []

    async def take(self, batch: list[Line]) -> None:
        """Import one batch and note how far that is."""
        for line in batch:
            if line.bad is not None:
                self._refuse(line, line.bad)
        await self._store([line for line in batch if line.orcid_id is not None])
        await self._store([line for line in batch if line.record is not None])
        self.progress.line = batch[-1].number

    async def _store(self, lines: list[Line]) -> None:
        """Lines of one kind, together, or else one by one."""
        if not lines:
            return
        try:
            imported = await self._import(lines)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one line provokes, the others go on
            if len(lines) == 1:
                self._refuse(lines[0], _reason(error))
                return
            for line in lines:
                await self._store([line])
            return
        self._count(lines, imported)

    async def _import(self, lines: list[Line]) -> list[ImportedPerson]:
        from services.people.importing import import_people, import_records

        records = [line.record for line in lines if line.record is not None]
        if records:
            return await import_records(self._fresh(), records)
        return await import_people(self._fresh(), [line.orcid_id for line in lines if line.orcid_id is not None])

    def _count(self, lines: list[Line], imported: list[ImportedPerson]) -> None:
        created = sum(person.created for person in imported)
        self.progress.created += created
        self.progress.known += len(lines) - created
        self.progress.warnings += sum(len(line.record.works.problems) for line in lines if line.record is not None)
        if lines[0].orcid_id is not None:
            self.progress.queued += len(imported)
            self.people += [person.person for person in imported]

    def _refuse(self, line: Line, reason: str) -> None:
        self.progress.refuse(line.number, reason)
        self._told(line.number, reason)


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, DomainError) else f"could not be stored ({type(error).__name__})"


def batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines in groups that are small enough for one transaction."""
    batch: list[Line] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += line.size
        if len(batch) >= BATCH_LINES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
