"""Events in unusual pieces, as proxies and other servers may send them."""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from .acting import open_saved, result, run, signed_in, stop
from .stub import TOKEN, Stub, serve

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def console_url() -> Iterator[str]:
    with serve(Stub()) as url:
        yield url


async def test_events_in_pieces_are_put_together(page: Page) -> None:
    """Comments, CRLF and a cut in the middle of an event are all part of the protocol; a stop is at once."""
    await signed_in(page, TOKEN)
    await open_saved(page, "Watch the ticks", "Ticks")
    await run(page)
    await expect(result(page)).to_contain_text(re.compile(r'"ticks": \d\d'))
    await stop(page)
    await page.wait_for_timeout(200)  # what had come before is shown
    stopped = await result(page).text_content()
    await page.wait_for_timeout(200)
    assert await result(page).text_content() == stopped
