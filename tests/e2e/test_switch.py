"""From one agent to another in the middle of a call, judged by what the caller hears: never nobody, never two at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.harness.callers import Caller, caller
from tests.e2e.harness.openai_api import hertz
from tests.e2e.harness.talking import ABSENT, VOICES, Listed, Talking, listed_agents, talking
from tests.e2e.harness.utterances import Sentence
from tests.e2e.harness.wait import wait_until

# The stand-in answers in the loop in which it was started, so the tests run in that one.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

LOST_FRAMES = 0.5
"""Seconds without a frame of any agent that a client on a busy machine may show; a hole in the call is longer."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(shared_directory: Path) -> AsyncIterator[Talking]:
    directory = shared_directory / "switch"
    directory.mkdir()
    async with talking(directory, "mary", "tom") as running:
        yield running


async def test_an_operator_switches_to_tom_while_mary_is_talking(shop: Talking) -> None:
    async with caller(shop.server, "switch") as ann, listed_agents(shop.server, "switch") as looks:
        await shop.rollcall.wait_for_state("switch", "verified")
        await wait_until(lambda: ann.hearing.heard("mary"), timeout=20.0, description="mary talks")
        status, answer = await shop.rollcall.operate("POST", "/sessions/switch/switch?hold=verified", {"agent_name": "tom"})
        assert (status, answer["agent_name"], answer["instead_of"], answer["state"]) == (200, "tom", "mary", "verified")
        greeting = await ann.wait_for_words("tom")
        assert greeting.start > ann.hearing.heard("mary")[-1].end
        said = await ann.say(Sentence.NAME)
        await ann.wait_for_line("My name is Tom.")
        await ann.wait_for_words("tom", since=said)
        judge(ann, looks)
        await wait_until(lambda: ann.hearing.present() == ["tom"], description="mary is gone")
    assert await states(shop, "switch") == {"mary": ("cancelled", 1), "tom": ("verified", 1)}


async def test_mary_transfers_the_caller_to_tom_and_introduces_him(shop: Talking) -> None:
    async with caller(shop.server, "transfer") as ann, listed_agents(shop.server, "transfer") as looks:
        await ann.wait_for_words("mary")
        said = await ann.say(Sentence.TRANSFER)
        introduction = await ann.wait_for_words("mary", since=said)
        await ann.wait_for_line("Here is Tom")
        tom = next(voice for voice in ann.hearing.voices if voice.agent_name == "tom")
        assert tom.came < introduction.end
        greeting = await ann.wait_for_words("tom")
        assert greeting.start > introduction.end
        judge(ann, looks)
        await wait_until(lambda: ann.hearing.present() == ["tom"], description="mary is gone")
        session = await shop.rollcall.session("transfer")
    assert session is not None
    assert session["state"] == "verified"
    # She said that her work was done, and left by herself: nobody took her out, and nobody is dispatched in her place.
    assert await states(shop, "transfer") == {"mary": ("ended", 1), "tom": ("verified", 1)}


async def test_a_switch_to_an_agent_that_never_comes_leaves_mary_serving(shop: Talking) -> None:
    async with caller(shop.server, "absent") as ann, listed_agents(shop.server, "absent") as looks:
        await ann.wait_for_words("mary")
        body = {"agent_name": ABSENT}
        status, answer = await shop.rollcall.operate("POST", "/sessions/absent/switch?hold=verified&hold_seconds=2", body)
        assert (status, answer["identity"]) == (202, None)
        await shop.rollcall.wait_for_state("absent", "unverified", timeout=30.0)
        said = await ann.say(Sentence.NAME)
        await ann.wait_for_words("mary", since=said)
        judge(ann, looks)
        assert ann.hearing.present() == ["mary"]
    assert (await states(shop, "absent"))["mary"] == ("verified", 1)


def judge(ann: Caller, looks: list[Listed]) -> None:
    """At no moment no agent, at no moment two talking, and each with its own voice: from mary's first frame until now."""
    hearing = ann.hearing
    first = hearing.voices[0].frames[0].at
    last = max(voice.frames[-1].at for voice in hearing.voices)
    assert hearing.talking_at_once() == []
    assert hearing.longest_alone(first, last) == 0.0
    assert hearing.longest_without_frames(first, last) < LOST_FRAMES
    assert [look for look in looks if first <= look.at <= last and not look.agents] == []
    for name, voice in VOICES.items():
        assert {round(stretch.hertz - hertz(voice), -2) for stretch in hearing.heard(name)} <= {0.0}


async def states(shop: Talking, room: str) -> dict[str, tuple[str, int]]:
    """Each placement's state, and how many attempts it took."""
    session: dict[str, Any] = await shop.rollcall.session(room) or {}
    return {one["agent_name"]: (one["state"], one["attempts_total"]) for one in session["placements"]}
