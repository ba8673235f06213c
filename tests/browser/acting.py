"""What a person does at the console."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Locator, Page, expect

Picture = Callable[[str], Awaitable[None]]


async def sign_in(page: Page, token: str) -> None:
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Use", exact=True).click()


async def signed_in(page: Page, token: str) -> None:
    """And the server has said who that is."""
    await sign_in(page, token)
    await expect(page.locator("#status")).to_have_attribute("data-state", "ok")


async def open_saved(page: Page, title: str, name: str) -> None:
    """The operation stands in a tab of its own."""
    await page.get_by_role("button", name=title, exact=True).click()
    await expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")


async def fill_variables(page: Page, variables: Any) -> None:
    """Write them over what the variables editor holds."""
    editor = page.locator("[aria-label=Variables] .graphiql-editor:not(.hidden) > .CodeMirror")
    await editor.evaluate("(editor, text) => editor.CodeMirror.setValue(text)", json.dumps(variables, indent=2))


async def run(page: Page) -> None:
    await page.get_by_role("button", name="Execute query (Ctrl-Enter)").click()


async def stop(page: Page) -> None:
    await page.get_by_role("button", name="Stop query (Ctrl-Enter)").click()
    await expect(page.get_by_role("button", name="Execute query (Ctrl-Enter)")).to_be_visible()


def result(page: Page) -> Locator:
    return page.locator(".result-window .CodeMirror-code")


async def answer(page: Page) -> Any:
    """The whole answer, also what is scrolled out of sight."""
    await expect(result(page)).to_contain_text("{")
    return json.loads(
        await page.locator(".result-window .CodeMirror").evaluate("(shown) => shown.CodeMirror.getValue()")
    )
