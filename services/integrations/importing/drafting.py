"""The task of an import: from what was sent to the columns of a draft."""

from typing import Any

import msgspec

from services.integrations.definitions.columns import stored
from services.integrations.importing.reading import ImportRequest, converted
from services.integrations.importing.reports import Report


class Drafted(msgspec.Struct, frozen=True):
    """The columns of the draft, and the report."""

    columns: dict[str, Any]
    report: Report


def drafted(given: bytes) -> Drafted:
    """Raises ValidationFailed, MalformedBody."""
    definition, report = converted(msgspec.msgpack.decode(given, type=ImportRequest))
    return Drafted(stored(definition), report)
