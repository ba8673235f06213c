"""The console under test and the browser that looks at it; the console is chosen here and nowhere else."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright, expect

from .server import Console, real_console

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
NOTE_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content Security Policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
# Five seconds, as it is by default, are too few on a busy machine.
expect.set_options(timeout=60_000)


@dataclass
class Seen:
    """What must stay empty (`outside`, `problems`), and what the page sent to the server."""

    outside: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with real_console(tmp_path_factory.mktemp("console") / "home") as running:
        yield running


@pytest.fixture(scope="session")
def console_url(console: Console) -> str:
    """The address of a running console without a path; a module may put another in its place."""
    return console.url


@pytest.fixture(scope="session")
def console_token(console: Console) -> str:
    """A token which that console accepts."""
    return console.token


def find_chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    found = os.environ.get("DOVETAIL_TEST_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found:
        return found
    if os.environ.get("DOVETAIL_TEST_REQUIRE_ALL") == "1":
        pytest.fail("Chromium is needed and is not on this machine")
    pytest.skip("Chromium is not on this machine")


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    path = find_chromium()
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture(params=["light"])
async def page(request: Any, browser: Browser, console_url: str, seen: Seen) -> AsyncIterator[Page]:
    """A fresh page at the console, which can reach 127.0.0.1 alone; any CSP violation or script error fails."""
    context = await browser.new_context(color_scheme=request.param, viewport={"width": 1360, "height": 800})
    await context.add_init_script(NOTE_VIOLATIONS)
    page = await gated(context, seen)
    await page.goto(f"{console_url}/graphql")
    await page.locator(".graphiql-query-editor .CodeMirror").wait_for()
    yield page
    await context.close()
    assert seen.outside == [], "the page asked for something outside this server"
    assert seen.problems == []


async def gated(context: BrowserContext, seen: Seen) -> Page:
    """A page that reaches 127.0.0.1 alone, and notes what it asked for and what went wrong."""

    async def gate(route: Route) -> None:
        if urlsplit(route.request.url).hostname != "127.0.0.1":
            seen.outside.append(route.request.url)
            await route.abort()
            return
        if route.request.method == "POST":
            seen.tokens.append(route.request.headers.get("authorization"))
        await route.continue_()

    await context.route("**/*", gate)
    page = await context.new_page()
    page.on("pageerror", lambda error: seen.problems.append(str(error)))
    page.on("console", lambda line: seen.problems.append(line.text) if is_problem(line.text) else None)
    return page


def is_problem(text: str) -> bool:
    return "Content Security Policy" in text


@pytest.fixture
def picture(page: Page, tmp_path: Path) -> Any:
    """Save what the page shows, into DOVETAIL_TEST_PICTURES or the test's own folder."""
    folder = Path(os.environ.get("DOVETAIL_TEST_PICTURES") or tmp_path)

    async def take(name: str) -> None:
        await page.screenshot(path=folder / f"{name}.png")

    return take
