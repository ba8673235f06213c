"""Import as an operation: converted beside the other work of the server, and stored as a draft."""

import asyncio
from typing import Any

import msgspec

from app.auth.scopes import Scope
from app.errors import Conflict, MalformedBody, RequestsLimited, ValidationFailed
from services.context import Context
from services.contracts.reading import ContractDocument
from services.integrations.apart.running import run_apart
from services.integrations.definitions.columns import stored
from services.integrations.definitions.registry import add_draft
from services.integrations.importing.converting import Choice
from services.integrations.importing.drafting import Drafted
from services.integrations.importing.reading import ImportRequest, converted_document
from services.integrations.importing.reports import Report
from services.operations import operation


class ReadDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document that was read with the files that it refers to, by whoever may read them; and what is wanted of it."""

    document: ContractDocument
    choice: Choice = Choice()


class Imported(msgspec.Struct, frozen=True):
    """The row of the draft, and what is to be told of it."""

    definition: dict[str, Any]
    report: Report


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_definition.imported",
    writes="parts",
    raises=[MalformedBody, ValidationFailed, Conflict, RequestsLimited],
)
async def import_integration_definition(context: Context, request: ImportRequest | ReadDocument) -> Imported:
    """Make a draft of an OpenAPI 3 document, with a method for each operation, and report what could not be typed."""
    with context.runtime.imports.held(context):
        if isinstance(request, ReadDocument):
            made = await _read(request)
        else:
            made = await run_apart("import", request, Drafted)
        return Imported(await context.write(lambda: add_draft(context, dict(made.columns))), made.report)


async def _read(request: ReadDocument) -> Drafted:
    definition, report = await asyncio.to_thread(converted_document, request.document, request.choice)
    return Drafted(stored(definition), report)
