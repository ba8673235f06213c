"""The platform's document: refusals by name in the right dialect, and nothing where nothing comes."""

import json
from collections import Counter
from typing import Any

import jsonschema_rs
import pytest

from app.errors import REGISTRY
from rest.contracts.documents import snapshot
from rest.platform_v1.errors import is_service
from rest.platform_v1.routes import ROUTES
from services.operations import declared

DOCUMENT = json.loads(snapshot("platform", "v1"))
OPERATIONS = {
    said["operationId"]: (path, said) for path, methods in DOCUMENT["paths"].items() for said in methods.values()
}


def refusals(said: Any) -> dict[str, Any]:
    """Example by code."""
    return {
        code: (int(status), example["value"])
        for status, answer in said["responses"].items()
        for content in answer.get("content", {}).values()
        for code, example in content.get("examples", {}).items()
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.operation_id))
def test_each_operation_names_what_it_refuses(route: Any) -> None:
    """All that it declares and what the way in refuses; each example has the status and form of its place."""
    path, said = OPERATIONS[route.operation_id]
    found = refusals(said)
    operation = declared(route.opt["operation"])
    assert {kind.code for kind in operation.raises} | {"unauthenticated", "internal_error"} <= found.keys()
    schema = "ServiceError" if is_service(path) else "EnvelopeError"
    judge = jsonschema_rs.validator_for(
        {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    )
    for code, (status, example) in found.items():
        judge.validate(example)
        assert code in REGISTRY
        assert f"`{example['error']['code']}`" in said["responses"][str(status)]["description"]


def test_what_has_no_body_has_no_content() -> None:
    deleted = [said["responses"]["204"] for _, said in OPERATIONS.values() if "204" in said["responses"]]
    assert deleted and all("content" not in answer for answer in deleted)


def test_names_are_unique() -> None:
    """Of operations; and no schema is called like another of its title."""
    assert len(OPERATIONS) == len(ROUTES)
    titles = Counter(schema.get("title", name) for name, schema in DOCUMENT["components"]["schemas"].items())
    assert [name for name, count in titles.items() if count > 1] == []
