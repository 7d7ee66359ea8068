"""A call with an agent that talks: sound goes in, sound comes out, and both are what they should be.

All is real but the models: a stand-in for OpenAI's API hears what is in the sound, answers by rule, and speaks in tones.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.harness.callers import caller
from tests.e2e.harness.openai_api import hertz
from tests.e2e.harness.talking import VOICES, Talking, talking
from tests.e2e.harness.utterances import Sentence
from tests.e2e.harness.wait import wait_until

# The stand-in answers in the loop in which it was started, so the tests run in that one.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


GREETING = "Hello, this is Mary at Bright Bicycles. How can I help you?"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(shared_directory: Path) -> AsyncIterator[Talking]:
    directory = shared_directory / "speech"
    directory.mkdir()
    async with talking(directory, "mary") as running:
        yield running


async def test_mary_greets_is_asked_for_her_name_and_tells_it(shop: Talking) -> None:
    async with caller(shop.server, "name") as ann:
        greeting = await ann.wait_for_words("mary")
        assert greeting.hertz == pytest.approx(hertz(VOICES["mary"]), abs=30)
        said = await ann.say(Sentence.NAME)
        answer = await ann.wait_for_words("mary", since=said)
        assert answer.hertz == pytest.approx(hertz(VOICES["mary"]), abs=30)
        await ann.wait_for_line("My name is Mary.")
        identity = ann.hearing.voices[0].identity
        assert {(line.identity, line.text) for line in ann.lines} >= {
            (identity, GREETING),
            ("ann", Sentence.NAME),
            (identity, "My name is Mary."),
        }
        assert ann.hearing.talking_at_once() == []
    assert Sentence.NAME in [heard.text for heard in shop.models.transcriptions]
    asked = next(turn for turn in shop.models.completions if turn.turn.text == "My name is Mary.")
    assert "You are Mary, who answers the telephone of Bright Bicycles" in asked.instructions
    items = await said_in(shop, "name", at_least=3)
    assert [(item["role"], item["text"]) for item in items] == [
        ("assistant", GREETING),
        ("user", Sentence.NAME),
        ("assistant", "My name is Mary."),
    ]


async def test_what_mary_knows_is_looked_up_and_spoken_and_the_call_ends_when_it_is_over(shop: Talking) -> None:
    async with caller(shop.server, "hours") as ann:
        await ann.wait_for_words("mary")
        said = await ann.say(Sentence.HOURS)
        await ann.wait_for_line("On Saturday it is open from ten")
        await ann.wait_for_words("mary", since=said)
        await ann.say(Sentence.GOODBYE)
        await wait_until(lambda: not ann.hearing.present(), timeout=20.0, description="mary hangs up")
        session = await shop.rollcall.session("hours")
    assert session is not None
    (placement,) = session["placements"]
    assert (placement["state"], placement["attempts_total"]) == ("ended", 1)
    assert session["state"] == "verified"


async def said_in(shop: Talking, room: str, *, at_least: int) -> list[dict[str, Any]]:
    """The transcript, once it has so many items."""

    async def found() -> list[dict[str, Any]] | None:
        items = await shop.rollcall.transcript(room)
        return items if len(items) >= at_least else None

    return await wait_until(found, description=f"the transcript of {room} has {at_least} items")
