"""Error codes: those of v1 are in its document, and every code has a page."""

from pathlib import Path
from typing import get_args

import pytest

from app.errors import REGISTRY, DomainError
from rest.integrations_v1.shapes import Code
from services.operations import OPERATIONS
from tests.contract.answers import CONTRACT

pytestmark = pytest.mark.contract
PAGES = Path(__file__).resolve().parents[2] / "docs" / "errors"
#: The refusals of the gate and of the surface itself; what an operation raises is read off its declaration.
OF_THE_GATE = {
    "missing_api_key", "invalid_installation_credential", "inactive_installation_credential", "inactive_installation",
    "origin_not_verified", "origin_mismatch", "installation_rate_limit_exceeded", "installation_scope_denied",
}  # fmt: skip
OF_THE_SURFACE = {
    "invalid_query_parameters", "not_found", "method_not_allowed", "payload_too_large", "internal_error",
    "service_unavailable",
}  # fmt: skip


def _documented() -> set[str]:
    return set(CONTRACT.document["components"]["schemas"]["ErrorBody"]["properties"]["code"]["enum"])


def _of_operations() -> set[str]:
    served = {get["get"]["operationId"] for get in CONTRACT.document["paths"].values()} & set(OPERATIONS)
    raised = {error for name in served for error in OPERATIONS[name].raises}
    # What breaks a rule of the domain is `invalid_query_parameters` on this surface.
    return {error.code for error in raised} - {"validation_failed"}


def test_every_code_that_v1_sends_is_documented() -> None:
    """The document's enum is what the gate, the surface and the operations can send, no more and no less."""
    assert _documented() == OF_THE_GATE | OF_THE_SURFACE | _of_operations()
    assert _documented() == set(get_args(Code))
    assert _documented() <= set(REGISTRY)


@pytest.mark.parametrize("code", sorted(get_args(Code)))
def test_every_code_stands_at_an_endpoint(code: str) -> None:
    """Each code is explained where it can come, but for those of no endpoint in particular."""
    anywhere = {"not_found", "method_not_allowed", "payload_too_large"}
    texts = [
        response["description"]
        for methods in CONTRACT.document["paths"].values()
        for response in methods["get"]["responses"].values()
    ]
    assert code in anywhere or any(f"`{code}`" in text for text in texts)


@pytest.mark.parametrize("code", sorted(get_args(Code)))
def test_a_code_stands_under_its_own_status(code: str) -> None:
    """A code is described only where the status is the one that the registry gives it."""
    for methods in CONTRACT.document["paths"].values():
        for status, response in methods["get"]["responses"].items():
            if f"`{code}`" in response["description"]:
                assert int(status) == REGISTRY[code].status


def test_every_code_has_a_page_and_no_page_is_an_orphan() -> None:
    """A person who is refused finds the page of the code; those of the command have one page together."""
    assert {page.stem for page in PAGES.glob("*.md")} - {"README", "command-line"} == set(REGISTRY)


@pytest.mark.parametrize("code", sorted(REGISTRY))
def test_a_page_names_its_code_and_status(code: str) -> None:
    """The page says the code and the HTTP status that the code sends."""
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert code in text
    assert str(REGISTRY[code].status) in text


@pytest.mark.parametrize("error", REGISTRY.values(), ids=REGISTRY.keys())
def test_a_code_is_a_slug_with_a_sentence(error: type[DomainError]) -> None:
    """Codes are snake_case, never a class name; each has a sentence and an HTTP status that is an error."""
    assert error.code.replace("_", "").isalpha() and error.code.islower()
    assert error.text.strip() and 400 <= error.status < 600
