"""The reference pages in a browser: whole from this server, under their policy, also without scripts."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from .conftest import NOTE_VIOLATIONS, Seen, gated

pytestmark = pytest.mark.browser
PATHS = ["/", "/docs", "/docs/integrations/v1", "/docs/graphql", "/docs/errors/not_found", "/docs/changelog"]


@pytest.fixture(params=[("light", 1360, True)])
async def docs(request: Any, browser: Browser, seen: Seen) -> AsyncIterator[Page]:
    """A page that can reach 127.0.0.1 alone, in a color scheme and a width, with or without scripts."""
    scheme, width, scripts = request.param
    context = await browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, java_script_enabled=scripts
    )
    await context.add_init_script(NOTE_VIOLATIONS)
    yield await gated(context, seen)
    await context.close()
    assert seen.outside == [] and seen.problems == []


LOOKS = [(scheme, width, scripts) for scheme in ("light", "dark") for width in (1360, 420) for scripts in (True, False)]


@pytest.mark.parametrize("docs", LOOKS, indirect=True, ids=str)
async def test_every_page_in_every_look(docs: Page, console_url: str) -> None:
    """Nothing is broken or asked for elsewhere, nothing is wider than the window, and the heading is read."""
    for path in PATHS:
        answer = await docs.goto(console_url + path)
        assert answer is not None and answer.status == 200
        await expect(docs.locator("h1")).to_be_visible()
        assert await docs.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


async def test_the_filter(docs: Page, console_url: str) -> None:
    """`/` leads to it; it narrows the list and the page, says how many are left, and Escape undoes it."""
    await docs.goto(f"{console_url}/docs/integrations/v1")
    await docs.keyboard.press("/")
    field = docs.get_by_label("Filter")
    await expect(field).to_be_focused()
    await field.fill("get publ")
    await expect(docs.locator("#op-list_publications")).to_be_visible()
    await expect(docs.locator("#op-list_people")).to_be_hidden()
    await expect(docs.get_by_role("status")).to_have_text("1 found")
    await field.press("Escape")
    await expect(docs.locator("#op-list_people")).to_be_visible()


async def test_a_link_opens_what_it_leads_to(docs: Page, console_url: str) -> None:
    """A schema is folded until a link to it is followed, or its address is opened."""
    await docs.goto(f"{console_url}/docs/integrations/v1#schema-Person")
    await expect(docs.locator("#schema-Person .tree")).to_be_visible()
    await docs.goto(f"{console_url}/docs/integrations/v1#op-list_works")
    await docs.locator("#op-list_works").get_by_role("link", name="WorksPage").click()
    await expect(docs.locator("#schema-WorksPage > .tree")).to_be_visible()


@pytest.mark.parametrize("docs", [("light", 1360, False)], indirect=True, ids=str)
async def test_without_scripts(docs: Page, console_url: str) -> None:
    """The list leads to every operation, trees open, and no field stands there that does nothing."""
    await docs.goto(f"{console_url}/docs/integrations/v1")
    await expect(docs.get_by_label("Filter")).to_be_hidden()
    await docs.get_by_role("navigation", name="On this page").get_by_role("link", name="GET People").click()
    assert docs.url.endswith("#op-list_people")
    members = docs.locator("#op-list_people details details", has=docs.get_by_text("orcid_id"))
    await members.first.locator("summary").first.click()
    await expect(members.first.get_by_text("orcid_id").first).to_be_visible()


async def test_the_keyboard(docs: Page, console_url: str) -> None:
    """The first stop skips to the content; every place has a name for who does not see it."""
    await docs.goto(f"{console_url}/docs/integrations/v1")
    await docs.keyboard.press("Tab")
    await expect(docs.get_by_role("link", name="To the content")).to_be_focused()
    await docs.keyboard.press("Enter")
    await expect(docs.locator("main")).to_be_focused()
    await expect(docs.get_by_role("navigation", name="Parts of the documentation")).to_be_visible()
