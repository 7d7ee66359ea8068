"""Debian's Chromium, driven by Playwright, which brings no browser of its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright

from orchestrator.web import debug, screen_page
from tests.e2e.harness.child import REPOSITORY

PROGRAM = "/usr/bin/chromium"

SCREENSHOTS = REPOSITORY / ".artifacts"

ARGUMENTS = (
    "--no-sandbox",  # tests run as root in containers, and load nothing but what is ours
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
)
GRANTED = "--use-fake-ui-for-media-stream"
"""Whoever is asked for the microphone says yes."""

PATIENCE = 15.0
"""Seconds for what a page must show, on a busy machine."""


def missing() -> str | None:
    """What is to be done before a browser can be started."""
    if shutil.which(PROGRAM) is None:
        return f"no browser at {PROGRAM} (Debian: apt install chromium)"
    fetched = [debug.FOLDER / name for name in debug.FETCHED.names]
    fetched += [screen_page.FOLDER / name for name in screen_page.FETCHED.names]
    if not all(path.exists() for path in fetched):
        return "the pages were left out: run `make page`, which needs npm"
    return None


@asynccontextmanager
async def browser_page(*, microphone: bool = True) -> AsyncIterator[Page]:
    """An empty page in a browser of its own; without `microphone` every page is refused it."""
    async with async_playwright() as playwright:
        arguments = [*ARGUMENTS, GRANTED] if microphone else [*ARGUMENTS]
        browser = await playwright.chromium.launch(executable_path=PROGRAM, args=arguments)
        try:
            context = await browser.new_context(permissions=["microphone"] if microphone else [])
            context.set_default_timeout(PATIENCE * 1_000)
            yield await context.new_page()
        finally:
            await browser.close()


async def keep(page: Page, name: str, *, whole: bool = True) -> Path:
    """A screenshot of all of the page, or of what is seen of it, for people to look at."""
    path = SCREENSHOTS / f"{name}.png"
    await page.screenshot(path=path, full_page=whole)
    return path
