"""Small documents to compare."""

import copy
import datetime as dt
from typing import Any

from services.contracts.findings import Finding, Verdict
from services.contracts.openapi import compare

TODAY = dt.date(2026, 11, 20)
JSON = "application/json"


def document(operation: dict[str, Any] | None = None, *, version: str = "3.1.0", **rest: Any) -> dict[str, Any]:
    """A document of one operation, `POST /things`; `rest` stands beside its paths."""
    operation = {"responses": {"200": {"description": "ok"}}, **(operation or {})}
    return {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {"/things": {"post": operation}},
        **rest,
    }


def request(schema: Any, media: str = JSON, **body: Any) -> dict[str, Any]:
    return document({"requestBody": {"content": {media: {"schema": schema}}, **body}})


def response(schema: Any, media: str = JSON) -> dict[str, Any]:
    return document({"responses": {"200": {"description": "ok", "content": {media: {"schema": schema}}}}})


def parameter(**keys: Any) -> dict[str, Any]:
    return document({"parameters": [{"name": "p", "in": "query", **keys}]})


def header(**keys: Any) -> dict[str, Any]:
    return document({"responses": {"200": {"description": "ok", "headers": {"X-A": keys}}}})


def compared(base: dict[str, Any], revision: dict[str, Any], **options: Any) -> list[Finding]:
    """The findings; neither document may be touched by the comparison."""
    before, after = copy.deepcopy(base), copy.deepcopy(revision)
    found = compare(base, revision, today=options.pop("today", TODAY), **options)
    assert base == before
    assert revision == after
    return found


def broken(base: dict[str, Any], revision: dict[str, Any], **options: Any) -> set[str]:
    """The rules that block."""
    return {each.rule for each in compared(base, revision, **options) if each.verdict is not Verdict.NOTICE}
