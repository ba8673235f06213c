"""Import as an operation: read, converted beside the other work of the process, and stored as a draft."""

import asyncio
from typing import Any

import msgspec

from app.auth.scopes import Scope
from app.errors import Conflict, ValidationFailed
from services.context import Context
from services.contracts.reading import ContractDocument, UnreadableDocument, read_document
from services.integrations.definitions.checking import check_parts
from services.integrations.definitions.model import Definition
from services.integrations.definitions.registry import add_draft
from services.integrations.importing.converting import Choice, convert_document
from services.integrations.importing.reports import Report
from services.operations import operation


class ImportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenAPI document as it came, or one that was read with the files that it refers to; and what is wanted of it.

    `media_type` is that of the bytes, where it is known.
    """

    document: bytes | ContractDocument
    media_type: str = ""
    choice: Choice = Choice()


class Imported(msgspec.Struct, frozen=True):
    """The row of the draft, and what is to be told of it."""

    definition: dict[str, Any]
    report: Report


@operation(
    scope=Scope.INTEGRATIONS_WRITE,
    audit="integration_definition.imported",
    writes="parts",
    raises=[ValidationFailed, Conflict],
)
async def import_integration_definition(context: Context, request: ImportRequest) -> Imported:
    """Make a draft of an OpenAPI 3 document, with a method for each operation, and report what could not be typed."""
    definition, report = await asyncio.to_thread(definition_from, request)
    return Imported(await context.write(lambda: add_draft(context, definition)), report)


def definition_from(request: ImportRequest) -> tuple[Definition, Report]:
    """The checked definition and the report, with no database. Raises ValidationFailed."""
    try:
        document = request.document
        if isinstance(document, bytes):
            document = read_document(document, "document.json" if "json" in request.media_type else "document.yaml")
    except UnreadableDocument as error:
        raise ValidationFailed({"document": str(error)}) from None
    if document.kind != "openapi":
        raise ValidationFailed({"document": "must be an OpenAPI document"})
    definition, report = convert_document(document.openapi, request.choice)
    check_parts(definition)
    return definition, report
