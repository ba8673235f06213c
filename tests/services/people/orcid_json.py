"""ORCID JSON for tests: recorded answers, and small ones put together by hand."""

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "data" / "orcid" / "v3.0"
ADA = "0000-0002-1825-0097"


def recorded(path: str) -> Any:
    return json.loads((DATA / path).read_text(encoding="utf-8"))


def person(**members: Any) -> dict[str, Any]:
    return {"name": None, "biography": None, "path": f"/{ADA}/person"} | members


def summary(put_code: Any = 1, title: Any = "T", **members: Any) -> dict[str, Any]:
    entry = {"put-code": put_code, "title": {"title": {"value": title}}, "type": "book", "visibility": "public"}
    return entry | {key.replace("_", "-"): value for key, value in members.items()}


def ids(*triples: tuple[str, str, str]) -> dict[str, Any]:
    keys = ("external-id-type", "external-id-value", "external-id-relationship")
    return {"external-id": [dict(zip(keys, triple, strict=True)) for triple in triples]}


def works(*groups: Any) -> dict[str, Any]:
    return {"group": [{"work-summary": each} if isinstance(each, list) else each for each in groups]}
