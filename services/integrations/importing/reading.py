"""What is asked of an import, read and converted with no database: the part that a process of its own does."""

from typing import Any

import msgspec

from app.errors import ValidationFailed
from services.contracts.reading import ContractDocument, UnreadableDocument, read_document
from services.inputs import read_input
from services.integrations.definitions.checking import check_parts
from services.integrations.definitions.model import Definition
from services.integrations.importing.converting import Choice, convert_document
from services.integrations.importing.reports import Report


class ImportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenAPI document as it came, and what is wanted of it. `media_type` is that of the bytes, where it is known.

    With `wrapped` the bytes are JSON of an object with the document and the choice; a bare document is taken as well.
    """

    document: bytes
    media_type: str = ""
    wrapped: bool = False
    choice: Choice = Choice()


class _Wrapped(Choice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The document stays as it was written, so that its faults are those of what was sent."""

    document: msgspec.Raw


class _Bare(msgspec.Struct, frozen=True):
    openapi: Any = None
    swagger: Any = None


def converted(request: ImportRequest) -> tuple[Definition, Report]:
    """The checked definition and the report. Raises ValidationFailed, MalformedBody."""
    request = _unwrapped(request) if request.wrapped else request
    name = "document.json" if "json" in request.media_type else "document.yaml"
    try:
        return converted_document(read_document(request.document, name, older=True), request.choice)
    except UnreadableDocument as error:
        raise ValidationFailed({"document": str(error)}) from None


def converted_document(document: ContractDocument, choice: Choice) -> tuple[Definition, Report]:
    """The same of a document that was read, as with the files that it refers to."""
    if document.kind != "openapi":
        raise ValidationFailed({"document": "must be an OpenAPI document"})
    definition, report = convert_document(document.openapi, choice)
    check_parts(definition)
    return definition, report


def _unwrapped(request: ImportRequest) -> ImportRequest:
    if _is_bare(request.document):
        return msgspec.structs.replace(request, media_type="application/json")
    given = read_input(_Wrapped, request.document)
    choice = Choice(**{name: getattr(given, name) for name in Choice.__struct_fields__})
    raw = bytes(given.document)
    if raw[:1] == b'"':
        return ImportRequest(document=read_input(str, raw).encode("utf-8", "surrogatepass"), choice=choice)
    return ImportRequest(document=raw, media_type="application/json", choice=choice)


def _is_bare(body: bytes) -> bool:
    """Whether an object is a document itself, and no envelope around one."""
    try:
        found = msgspec.json.decode(body, type=_Bare)
    except (msgspec.DecodeError, RecursionError):
        return False
    return found.openapi is not None or found.swagger is not None
