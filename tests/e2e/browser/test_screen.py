"""The screen, as a person on call uses it who was just woken: a real server, a real alert, a real browser."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.e2e.browser.axe import bring_axe, violations
from tests.e2e.browser.chromium import browser_page, keep, missing
from tests.e2e.harness.alerts import alert_sink
from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import QUICK, config
from tests.e2e.harness.livekit import LiveKitServer, livekit_server
from tests.e2e.harness.orchestrator import OPERATE_TOKEN, READ_TOKEN, Orchestrator, webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.workers import workers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

SLOW = 30_000
"""Milliseconds for what LiveKit or a start of the service is a part of."""

VIEWS = ("sessions", "agents", "agents/late", "incidents", "inbox", "audit")

WIDTHS = (1280, 375)


ROOM = "support/17 at night"


@dataclass(frozen=True)
class Night:
    """A room whose agent does not come, and the link of the alert that says so."""

    directory: Path
    server: LiveKitServer
    rollcall: Orchestrator
    link: str

    @property
    def sid(self) -> str:
        return self.link.rpartition("/")[2]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def night(shared_directory: Path) -> AsyncIterator[Night]:
    if what := missing():
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        stop(what)
    directory = shared_directory / "screen"
    directory.mkdir()
    port = free_port()
    async with livekit_server(directory, webhook_urls=[webhook_url(port)]) as server, alert_sink() as sink:
        rollcall = Orchestrator(directory, server, config("late", policy=QUICK, sink=sink), port=port)
        try:
            await rollcall.start()
            async with client(server, ROOM):
                alert = await sink.wait_for(ROOM, status="firing", timeout=40)
                yield Night(directory, server, rollcall, alert.body["link"])
        finally:
            await rollcall.process.clear_away(timeout=10.0)


async def log_in(page: Page, token: str) -> None:
    await page.get_by_label("API token").fill(token)
    await page.keyboard.press("Enter")


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


async def test_from_the_alert_to_the_cause_and_the_redispatch_by_keyboard_and_over_a_restart(night: Night) -> None:
    rollcall, link = night.rollcall, night.link
    async with browser_page(microphone=False) as page:
        await bring_axe(page.context)
        # The link, and the login: what is wrong stands there.
        await page.goto(link)
        await expect(page.get_by_label("API token")).to_be_focused()
        await keep(page, "screen-1-login")
        assert await violations(page) == []
        await log_in(page, OPERATE_TOKEN)
        await expect(page.get_by_role("heading", level=1)).to_have_text(ROOM)
        assert page.url == link
        verdict = page.locator(".verdict")
        await expect(verdict).to_contain_text("late is missing. No worker took the job of late")
        await expect(verdict).to_contain_text("not_taken")
        await expect(verdict).to_contain_text("Check that a worker is running with exactly the agent name late")
        await expect(verdict.get_by_role("link", name="Runbook")).to_have_attribute("href", "/runbook#not-taken")
        await keep(page, "screen-2-cause")

        await accessible_everywhere(page, rollcall.url, night.sid)

        # Redispatched without a mouse.
        await page.goto(link)
        await page.get_by_role("link", name="Runbook").focus()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name="Redispatch…")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(dialog(page)).to_contain_text("Begins a new round of attempts now")
        await page.keyboard.type("worker restarted")
        await keep(page, "screen-3-confirm", whole=False)
        assert await violations(page) == []
        async with workers(night.directory, night.server, {"late": "light"}):
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("status")).to_contain_text(f"{ROOM}: a new round has begun for late.")
            await expect(page.get_by_role("button", name="Redispatch…")).to_be_focused()
            await expect(page.locator(".summary")).to_contain_text("The one room has its agent.", timeout=SLOW)
            await expect(verdict).to_contain_text("late joined", timeout=SLOW)
            await page.get_by_role("link", name="Audit").click()
            await expect(page.get_by_role("table")).to_contain_text("worker restarted")

            await over_a_restart(page, rollcall)
        assert await page.evaluate("performance.getEntriesByType('navigation').length") == 1


async def accessible_everywhere(page: Page, url: str, sid: str) -> None:
    """No view has anything to complain about, in either theme, also on a telephone."""
    found = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        for view in (*VIEWS, f"sessions/{sid}", "inbox/first"):
            if view == "inbox/first":
                await page.goto(f"{url}/#/inbox")
                await page.locator("tbody a").first.click()
            else:
                await page.goto(f"{url}/#/{view}")
            await expect(page.get_by_role("heading", level=1)).to_be_attached()
            await expect(page.locator(".loading")).to_have_count(0)
            for theme in ("light", "dark"):
                await page.emulate_media(color_scheme="light" if theme == "light" else "dark", reduced_motion="reduce")
                found += [f"{view}, {width}, {theme}: {violation}" for violation in await violations(page)]
                await keep(page, f"screen-{'session' if sid in view else view.replace('/', '-')}-{width}-{theme}")
            if await page.evaluate("document.documentElement.scrollWidth") > width:
                found.append(f"{view} is wider than {width}")
    assert found == []
    await page.set_viewport_size({"width": WIDTHS[0], "height": 800})
    await page.emulate_media(color_scheme="light")


async def over_a_restart(page: Page, rollcall: Orchestrator) -> None:
    """The page says that the service is away, keeps what it shows and how it is filtered, and goes on by itself."""
    await page.get_by_role("link", name="Sessions").click()
    await page.get_by_label("Room or sid").fill("SUPPORT")
    row = page.locator("tr[data-sid]")
    await expect(row).to_contain_text(ROOM)
    await rollcall.process.stop()
    await expect(page.locator(".banner")).to_contain_text("Rollcall cannot be reached", timeout=SLOW)
    await expect(row).to_contain_text(ROOM)
    await keep(page, "screen-4-away")
    await rollcall.start()
    await expect(page.locator(".banner")).to_have_count(0, timeout=SLOW)
    await expect(page.get_by_label("Room or sid")).to_have_value("SUPPORT")
    assert page.url.endswith("#/sessions?q=SUPPORT")
    await expect(row).to_contain_text("verified")
    await keep(page, "screen-5-back")


async def test_who_may_only_look_sees_why_nothing_can_be_pressed_and_can_leave(night: Night) -> None:
    async with browser_page(microphone=False) as page:
        await page.goto(night.link)
        await log_in(page, "a-wrong-token-of-somebody")
        await expect(page.get_by_role("alert")).to_have_text("The token is not known.")
        await log_in(page, READ_TOKEN)
        redispatch = page.get_by_role("button", name="Redispatch…")
        await expect(redispatch).to_have_attribute("aria-disabled", "true")
        await redispatch.click(force=True)
        await expect(dialog(page)).to_have_count(0)
        await page.get_by_role("link", name="Audit").click()
        await expect(page.get_by_role("main")).to_contain_text("Whoever may operate may read the audit log.")
        assert await readable_by_programs(page.context, page) == []

        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_label("API token")).to_be_visible()
        await page.reload()
        await expect(page.get_by_label("API token")).to_be_visible()


async def readable_by_programs(context: BrowserContext, page: Page) -> list[str]:
    """What of the login a program in the page could read."""
    kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    secrets = [cookie["value"] for cookie in await context.cookies()]
    assert secrets
    return [secret for secret in (*secrets, READ_TOKEN) if secret in kept]
