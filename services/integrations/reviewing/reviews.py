"""The task of a review: of a stored definition, what is wrong with it, what its examples do, what it takes away."""

import datetime as dt

import msgspec

from services.integrations.definitions.columns import definition_of
from services.integrations.reviewing.differences import compare_definitions
from services.integrations.reviewing.linting import lint_definition
from services.integrations.reviewing.rehearsing import rehearse
from services.integrations.reviewing.reports import MOST_TOLD, DiffReport, ExamplesReport, LintReport, ReviewRequest


def reviewed(given: bytes) -> LintReport | ExamplesReport | DiffReport:
    request = msgspec.msgpack.decode(given, type=ReviewRequest)
    definition = definition_of(request.definition)
    if request.kind == "lint":
        found = lint_definition(definition)
        errors = sum(each.severity == "error" for each in found)
        return LintReport(found[:MOST_TOLD], errors, len(found) - errors)
    if request.kind == "test":
        played = sorted(rehearse(definition), key=lambda each: each.fault is None)
        failed = sum(each.fault is not None for each in played)
        return ExamplesReport(played[:MOST_TOLD], len(played) - failed, failed)
    base, today = definition_of(request.against or {}), request.today or dt.date.min
    compared = compare_definitions(base, definition, today)
    told = compared.differences[:MOST_TOLD]
    return DiffReport(told, len(compared.differences), compared.needed, compared.made, compared.honest)
