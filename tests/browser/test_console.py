"""GraphiQL at /graphql: whole from this server, under its content security policy, with the network off."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from app.assets import CONTENT_SECURITY_POLICY, NOT_FETCHED, PAGE, answer, load_assets

from .acting import Picture, open_saved, result, run, sign_in, signed_in
from .conftest import Seen

pytestmark = pytest.mark.browser
SEARCH = ("Search people by name or ORCID iD", "SearchPeople")


async def test_first_look(page: Page, picture: Picture) -> None:
    """Without a token the editor renders, and the status line says how to make one."""
    await expect(page.locator("#status")).to_contain_text("dovetail token issue --role admin")
    await expect(page.get_by_role("button", name=SEARCH[0])).to_be_visible()
    await picture("first")


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
async def test_saved_operation_runs(
    page: Page, console_token: str, seen: Seen, picture: Picture, request: pytest.FixtureRequest
) -> None:
    """A saved operation opens in a new tab with its variables, runs, and carries the token."""
    await signed_in(page, console_token)
    await open_saved(page, *SEARCH)
    await run(page)
    await expect(result(page)).to_contain_text("Carl Andrews")
    assert seen.tokens[-1] == f"Bearer {console_token}"
    await picture(f"operation-{request.node.callspec.params['page']}")


async def test_docs_explorer(page: Page, console_token: str, picture: Picture) -> None:
    """The documentation panel lists the root types and the types of the schema, read with the token."""
    await sign_in(page, console_token)
    await page.get_by_role("button", name="Show Documentation Explorer").click()
    docs = page.locator(".graphiql-doc-explorer")
    await expect(docs).to_contain_text("query: Query")
    await expect(docs).to_contain_text("Viewer")
    await picture("docs")


async def test_operation_explorer(page: Page, console_token: str, picture: Picture) -> None:
    """The operation builder lists the fields of the schema, and a tick writes one into the editor."""
    await sign_in(page, console_token)
    await page.get_by_role("button", name="Show GraphiQL Explorer").click()
    await page.locator(".graphiql-explorer-root").get_by_text("viewer", exact=True).click()
    await expect(page.locator(".graphiql-query-editor .CodeMirror-code")).to_contain_text("viewer")
    await picture("explorer")


async def test_dialogs(page: Page, picture: Picture) -> None:
    """Both dialogs open and close; the theme that is picked there holds for the whole page."""
    await page.get_by_role("button", name="Open short keys dialog").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Short Keys")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Open settings dialog").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Theme")
    await page.get_by_role("button", name="Dark").click()
    await picture("settings")
    await page.keyboard.press("Escape")
    await expect(page.locator("body")).to_have_class("graphiql-dark")
    await picture("dark-chosen")


async def test_refused_token(page: Page, console_token: str, picture: Picture) -> None:
    """A token that the server refuses is named as the cause; a good one afterwards repairs everything."""
    await sign_in(page, "wrong")
    await expect(page.locator("#status")).to_contain_text("This token is refused")
    await open_saved(page, *SEARCH)
    await run(page)
    await expect(result(page)).to_contain_text("INVALID_TOKEN")
    await picture("refused")
    await sign_in(page, console_token)
    await run(page)
    await expect(result(page)).to_contain_text("Carl Andrews")
    await expect(page.locator("#status")).to_have_attribute("data-state", "ok")


async def test_token_stays_in_this_tab(page: Page, console_token: str) -> None:
    """A reload keeps the token, local storage never holds it, and Forget removes it."""
    await sign_in(page, console_token)
    await page.reload()
    await expect(page.locator("#status")).to_have_attribute("data-state", "ok")
    assert console_token not in await page.evaluate("JSON.stringify(localStorage)")
    await page.get_by_role("button", name="Forget").click()
    await expect(page.locator("#status")).to_contain_text("No token yet")
    assert await page.evaluate("sessionStorage.length") == 0


def test_files_are_kept_by_their_hash() -> None:
    """The page is always asked for again; a file with its hash in the address is kept for ever."""
    assets = load_assets()
    status, headers, body = answer(PAGE, assets[PAGE])
    assert (status, headers["Cache-Control"], headers["Vary"]) == (200, "no-cache", "Accept")
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    named = re.findall(r'"(/console/[^"?]+)\?v=([0-9a-f]+)"', body.decode())
    assert len(named) == 8
    for path, version in named:
        assert "immutable" in answer(path, assets[path], version=version)[1]["Cache-Control"]
        assert answer(path, assets[path], version="0")[1]["Cache-Control"] == "no-cache"
        assert answer(path, assets[path], if_none_match=f'"x", W/{assets[path].etag}')[::2] == (304, b"")


def test_policy_has_no_hole() -> None:
    """Nothing inline but the one style whose hash is written down, no eval, nothing from elsewhere."""
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY


def test_page_without_vendor_files(tmp_path: Path) -> None:
    """Before the vendor files are fetched, the page is one sentence that says what to run."""
    assets = load_assets(tmp_path)
    assert list(assets) == [PAGE]
    status, headers, body = answer(PAGE, assets[PAGE])
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert body.decode() == NOT_FETCHED
