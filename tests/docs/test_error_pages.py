"""Every error code has one page, and the table of codes equals the registry."""

import ast
import re

import msgspec
import pytest

from app.errors import REGISTRY
from tests.docs.pages import DOCS, ROOT, blocks, text_of

ERRORS = DOCS / "errors"
_ROW = re.compile(r"^\| \[`(\w+)`\]\((\w+)\.md\) \| (\d{3}) \| .+ \|$", re.MULTILINE)
_SECTIONS = ("## Where it appears", "## What you see", "## Likely causes", "## What to do", "## In the audit history")
_READERS = ("**If you write a plugin:**", "**If you run the server:**")


def test_each_code_has_a_page_and_each_page_a_code() -> None:
    """No code is without a page, and no page is left over from a code that is gone."""
    written = {page.stem for page in ERRORS.glob("*.md") if page.name != "README.md"}
    assert written == {*REGISTRY, "command-line"}


def test_each_code_of_the_command_has_its_part_of_a_page() -> None:
    """What the command raises by itself, and nothing besides: read from its source."""
    raised = {"settings_invalid"}
    for path in (*(ROOT / "app" / "cli").glob("*.py"), *(ROOT / "services").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "CommandFailed":
                code = node.args[0]
                assert isinstance(code, ast.Constant), (
                    f"{path}:{node.lineno}: a code is written out, so that it is found"
                )
                raised.add(code.value)
    written = re.findall(r"^## `(\w+)`$", text_of(ERRORS / "command-line.md"), re.MULTILINE)
    assert written == sorted(set(written))
    assert set(written) == raised - set(REGISTRY)


def test_the_table_is_the_registry() -> None:
    """docs/errors/README.md lists every code once, with its status and its page."""
    rows = _ROW.findall(text_of(ERRORS / "README.md"))
    assert all(code == page for code, page, _ in rows)
    assert len(rows) == len(REGISTRY)
    assert {code: int(status) for code, _, status in rows} == {code: kind.status for code, kind in REGISTRY.items()}


@pytest.mark.parametrize("code", sorted(REGISTRY))
def test_a_page_says_what_a_reader_needs(code: str) -> None:
    """Title, status, an example that holds the code, causes, what to do for both readers, and the history."""
    page = ERRORS / f"{code}.md"
    text = text_of(page)
    assert text.startswith(f"# `{code}`\n")
    assert f"HTTP status: **{REGISTRY[code].status}**" in text
    assert all(part in text for part in (*_SECTIONS, *_READERS))
    shown = [block.body for block in blocks(page) if block.language == "json"]
    assert shown
    graphql = "INTERNAL" if code == "internal_error" else code.upper()
    assert all(f'"{code}"' in body or f'"{graphql}"' in body for body in shown)


@pytest.mark.parametrize("code", sorted(REGISTRY))
def test_an_example_has_a_form_that_exists(code: str) -> None:
    """An example is the body of one surface: v1's, v2's, GraphQL's, the platform's, or the command's."""
    forms = {
        frozenset({"error", "code", "details"}),
        frozenset({"type", "title", "status", "detail", "code", "request_id"}),
        frozenset({"errors"}),
        frozenset({"data"}),
        frozenset({"data", "errors"}),
        frozenset({"success", "error", "meta"}),
        frozenset({"error"}),
    }
    for block in blocks(ERRORS / f"{code}.md"):
        if block.language == "json":
            assert frozenset(msgspec.json.decode(block.body)) in forms
