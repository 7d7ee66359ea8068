"""What was said reaches the orchestrator in the background, or is dropped; it never reaches the log."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from worker.orchestrator import Item, OrchestratorError
from worker.transcripts import BATCH, FINISH_SECONDS, GATHER_SECONDS, KEPT, TEXT_BYTES, Transcript, cut

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


class FakeLine:
    """Takes what it is sent, unless it is told to refuse it or to hang."""

    def __init__(self) -> None:
        self.refusal: OrchestratorError | None = None
        self.hangs = False
        self.calls: list[tuple[str, str, list[str]]] = []
        """(session, agent name, ids of the items)"""

    async def send_transcript(self, session: str, agent_name: str, items: Sequence[Item]) -> None:
        self.calls.append((session, agent_name, [item.id for item in items]))
        if self.hangs:
            await asyncio.Event().wait()
        if self.refusal is not None:
            raise self.refusal

    @property
    def ids(self) -> list[str]:
        return [one for _, _, ids in self.calls for one in ids]


@pytest.fixture
def line() -> FakeLine:
    return FakeLine()


@pytest.fixture
def transcript(line: FakeLine) -> Transcript:
    return Transcript(line, session="RM_1", agent_name="mary")


def item(number: int) -> Item:
    return Item(str(number), "user", f"words-of-a-person {number}", float(number))


async def test_what_is_said_within_a_second_travels_together(line: FakeLine, transcript: Transcript) -> None:
    transcript.add(item(1))
    await asyncio.sleep(GATHER_SECONDS / 2)
    transcript.add(item(2))
    await asyncio.sleep(GATHER_SECONDS)
    transcript.add(item(3))
    await asyncio.sleep(GATHER_SECONDS * 2)
    assert line.calls == [("RM_1", "mary", ["1", "2"]), ("RM_1", "mary", ["3"])]


async def test_what_is_said_last_is_sent_when_the_job_ends(line: FakeLine, transcript: Transcript) -> None:
    transcript.add(item(1))
    await transcript.finish()
    assert line.ids == ["1"]


async def test_a_job_in_which_nothing_was_said_ends_without_a_call(line: FakeLine, transcript: Transcript) -> None:
    await transcript.finish()
    assert line.calls == []


async def test_no_call_holds_more_than_the_orchestrator_takes(line: FakeLine, transcript: Transcript) -> None:
    for number in range(BATCH + 1):
        transcript.add(item(number))
    await transcript.finish()
    assert [len(ids) for _, _, ids in line.calls] == [BATCH, 1]


@pytest.mark.parametrize("letter", ["a", "ü", "\x01"])
async def test_no_call_is_longer_than_the_orchestrator_reads(line: FakeLine, transcript: Transcript, letter: str) -> None:
    said = [replace(item(number), text=cut(letter * TEXT_BYTES)) for number in range(30)]
    for one in said:
        transcript.add(one)
    await transcript.finish()
    assert line.ids == [one.id for one in said]
    texts = {one.id: one.text for one in said}
    assert max(len(json.dumps([texts[number] for number in ids])) for _, _, ids in line.calls) < 256 * 1024


async def test_while_the_orchestrator_is_away_it_waits_and_goes_out_later_in_order(
    line: FakeLine, transcript: Transcript, caplog: pytest.LogCaptureFixture
) -> None:
    line.refusal = OrchestratorError("answered 503", 503)
    transcript.add(item(1))
    await asyncio.sleep(10)
    line.refusal = None
    line.calls.clear()
    transcript.add(item(2))
    await asyncio.sleep(5)
    assert line.ids == ["1", "2"]
    await transcript.finish()
    assert [record.getMessage() for record in caplog.records] == ["transcript not taken"]


async def test_what_the_orchestrator_refuses_for_good_is_dropped_with_a_line_and_not_a_word_of_it(
    line: FakeLine, transcript: Transcript, caplog: pytest.LogCaptureFixture
) -> None:
    line.refusal = OrchestratorError("answered 403", 403)
    with caplog.at_level(logging.DEBUG):
        for number in range(3):
            transcript.add(item(number))
            await asyncio.sleep(5)
        await transcript.finish()
    assert line.ids == ["0", "1", "2"]
    ours = [record for record in caplog.records if record.name == "rollcall.worker"]
    assert [record.getMessage() for record in ours] == ["transcript not taken", "part of the transcript was dropped"]
    assert getattr(ours[1], "items", None) == 3
    assert "words-of-a-person" not in repr([record.__dict__ for record in ours])


async def test_however_long_the_orchestrator_is_away_what_waits_is_bounded(line: FakeLine, transcript: Transcript) -> None:
    line.refusal = OrchestratorError("not reached")
    for number in range(KEPT + 7):
        transcript.add(item(number))
    line.refusal = None
    await transcript.finish()
    assert line.ids == [str(number) for number in range(7, KEPT + 7)]


async def test_an_orchestrator_that_hangs_does_not_keep_a_job_from_ending(
    line: FakeLine, transcript: Transcript, caplog: pytest.LogCaptureFixture
) -> None:
    line.hangs = True
    transcript.add(item(1))
    await asyncio.sleep(GATHER_SECONDS * 2)
    before = asyncio.get_running_loop().time()
    await transcript.finish()
    assert asyncio.get_running_loop().time() - before == pytest.approx(FINISH_SECONDS, abs=0.01)
    assert [record.getMessage() for record in caplog.records] == ["part of the transcript was dropped"]


@pytest.mark.parametrize("text", ["a" * 2 * TEXT_BYTES, "ü" * TEXT_BYTES, "a" + "ü" * TEXT_BYTES])
async def test_a_text_is_cut_where_the_orchestrator_would_refuse_it(text: str) -> None:
    short = cut(text)
    assert TEXT_BYTES - 1 <= len(short.encode()) <= TEXT_BYTES
    assert text.startswith(short)
