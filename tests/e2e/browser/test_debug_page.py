"""The debug page, as a developer and an operator use it: a real server, a real worker, a real browser."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from livekit import rtc
from playwright.async_api import Page, expect

from tests.e2e.browser.chromium import PATIENCE, browser_page, keep, missing
from tests.e2e.harness.configs import QUICK, config
from tests.e2e.harness.livekit import LiveKitServer, livekit_server
from tests.e2e.harness.orchestrator import MINT_TOKEN, OPERATE_TOKEN, Orchestrator, orchestrator, webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import rollcall_worker

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

CONNECT = "Connect with microphone"
LEVELS = ["requested", "accepted", "joined", "answering"]
SILENCE = 0.01
"""RMS: the chime has 0.1 to 0.2, a track on which nobody speaks 0."""


@dataclass(frozen=True)
class Scene:
    """A LiveKit server with mary, who has no model, and room for one orchestrator at a time."""

    directory: Path
    server: LiveKitServer
    port: int

    def rollcall(self, *agents: str, **environment: str) -> AbstractAsyncContextManager[Orchestrator]:
        """An orchestrator of which mary, and whoever else is named, can be asked for; no room has them by itself."""
        known = config("mary", *agents, policy=QUICK, rooms="not-one-of-these")
        return orchestrator(self.directory, self.server, known, port=self.port, environment=environment)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(shared_directory: Path) -> AsyncIterator[Scene]:
    if what := missing():
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        stop(what)
    directory = shared_directory / "browser"
    directory.mkdir()
    port = free_port()
    async with (
        livekit_server(directory, webhook_urls=[webhook_url(port)]) as server,
        rollcall_worker(directory, server, "mary"),
    ):
        yield Scene(directory, server, port)


async def loudest(page: Page, meter: str) -> float:
    """The highest RMS that this meter has shown."""
    return float(await page.locator(meter).get_attribute("data-loudest") or 0)


async def hear(page: Page, meter: str) -> float:
    async def sound() -> float | None:
        rms = await loudest(page, meter)
        return rms if rms > SILENCE else None

    return await wait_until(sound, timeout=PATIENCE, description=f"{meter} shows sound")


async def wait_for_proof(page: Page, agent: str, *levels: str) -> None:
    """Until the page shows that this agent is verified, and that these levels were reached."""
    table = page.locator(f'table[data-agent="{agent}"]')
    await expect(table).to_have_attribute("data-state", "verified", timeout=PATIENCE * 1_000)
    for level in levels:
        await expect(table.locator(f'tr[data-level="{level}"]')).to_have_attribute(
            "data-reached", "true", timeout=PATIENCE * 1_000
        )


async def test_by_keyboard_alone_one_enters_the_room_and_the_agent_is_proven_heard_and_read(scene: Scene) -> None:
    async with scene.rollcall(ROLLCALL_DEV="true") as rollcall, browser_page() as page:
        await page.goto(f"{rollcall.url}/debug")
        await page.get_by_label("Agent", exact=True).fill("mary")
        await page.get_by_label("Room").fill("debug me/1")
        for key in ("Tab", "Tab", "Tab", "Enter"):  # identity, metadata, the button
            await page.keyboard.press(key)
        await wait_for_proof(page, "mary", *LEVELS)
        assert await hear(page, "#agent-level") > SILENCE
        assert await hear(page, "#my-level") > SILENCE
        await expect(page.locator('#transcript li[data-topic="lk.chat"]')).to_contain_text("no model is configured")
        await expect(page.get_by_role("status")).to_contain_text("Connected to room debug me/1")
        await expect(page.locator("#verdict")).to_contain_text("mary joined")
        await keep(page, "debug-page")
        session = await rollcall.session("debug me/1")
        assert session is not None
        assert [placement["agent_name"] for placement in session["placements"]] == ["mary"]

        await expect(page.get_by_role("button", name="Disconnect")).to_be_focused()
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Unmute")).to_have_attribute("aria-pressed", "true")
        await wait_until(lambda: quiet(page), description="a muted microphone is silent")

        await page.set_viewport_size({"width": 375, "height": 800})
        await page.emulate_media(color_scheme="dark")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 375
        await keep(page, "debug-page-narrow-dark")

        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_have_text("Not connected.")
        await expect(page.get_by_role("button", name=CONNECT)).to_be_focused()
        assert await page.locator("body").get_attribute("data-violations") is None
        assert await page.get_by_role("alert").is_hidden()


async def quiet(page: Page) -> bool:
    return await page.locator("#my-level").get_attribute("data-rms") == "0.0000"


async def test_an_operator_is_asked_for_tokens_and_hears_the_agent_without_a_microphone(scene: Scene) -> None:
    async with scene.rollcall() as rollcall, browser_page(microphone=False) as page:
        await page.goto(f"{rollcall.url}/debug")
        given, alert = page.get_by_label("scope operate"), page.get_by_role("alert")
        await page.get_by_label("Agent", exact=True).fill("mary")
        await page.get_by_role("button", name=CONNECT).click()
        await expect(alert).to_contain_text("Check the API token.")

        await given.fill("guessed")
        await page.get_by_role("button", name=CONNECT).click()
        await expect(alert).to_contain_text("The bearer token is not known.")

        await given.fill(OPERATE_TOKEN)
        await page.get_by_role("button", name=CONNECT).click()
        await page.get_by_label("scope mint").fill(MINT_TOKEN)
        await page.get_by_role("button", name=CONNECT).click()
        await wait_for_proof(page, "mary", "joined")
        await expect(alert).to_contain_text("The browser refuses this page the microphone.")
        await expect(alert).to_contain_text("You can hear, and are not heard.")
        assert await hear(page, "#agent-level") > SILENCE
        stored = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        assert not any(token in stored for token in (OPERATE_TOKEN, MINT_TOKEN))


async def test_speech_that_is_recognized_bit_by_bit_is_one_line_with_its_last_text(scene: Scene) -> None:
    async with scene.rollcall(ROLLCALL_DEV="true") as rollcall, browser_page() as page:
        await page.goto(f"{rollcall.url}/debug")
        await page.get_by_label("Room").fill("words")
        await page.get_by_label("Agent", exact=True).fill("")
        await page.get_by_role("button", name=CONNECT).click()
        await expect(page.get_by_role("status")).to_contain_text("Connected to room words")
        speaker = rtc.Room()
        await speaker.connect(scene.server.url, scene.server.token("words", "ann"))
        try:
            for text, final in (("What is", "false"), ("What is <b>your</b> name?", "true")):
                attributes = {"lk.segment_id": "SG_1", "lk.transcription_final": final}
                await speaker.local_participant.send_text(text, topic="lk.transcription", attributes=attributes)
            lines = page.locator("#transcript li")
            await expect(lines).to_have_text("annWhat is <b>your</b> name?")
            await expect(lines).to_have_attribute("data-final", "true")
        finally:
            await speaker.disconnect()


async def test_an_agent_that_does_not_come_has_its_cause_and_what_helps_beside_it(scene: Scene) -> None:
    async with scene.rollcall("ghost", ROLLCALL_DEV="true") as rollcall, browser_page() as page:
        await page.goto(f"{rollcall.url}/debug")
        await page.get_by_label("Agent", exact=True).fill("ghost")
        await page.get_by_role("button", name=CONNECT).click()
        table = page.locator('table[data-agent="ghost"]')
        await expect(table).to_have_attribute("data-state", "unverified", timeout=PATIENCE * 1_000)
        await expect(table.locator('tr[data-level="joined"]')).to_have_attribute("data-reached", "false")
        await expect(page.locator(".cause")).to_contain_text("not_taken")
        runbook = await page.get_by_role("link", name="Runbook").get_attribute("href")
        assert runbook is not None
        assert runbook.startswith(f"{rollcall.url}/runbook#")

        await page.get_by_role("button", name="Disconnect").click()
        await page.get_by_label("Agent", exact=True).fill("gost")
        await page.get_by_role("button", name=CONNECT).click()
        await expect(page.get_by_role("alert")).to_contain_text("ghost")
        await keep(page, "debug-page-refused")
