"""The referees of the talking agents: what a sentence sounds like, and what is no fair conversation."""

from __future__ import annotations

from array import array

import pytest

from tests.e2e.harness.hearing import Frame, Hearing, Voice
from tests.e2e.harness.utterances import RATE, Sentence, recognised, spoken


def voice(name: str, *talks: tuple[float, float], came: float = 0.0, left: float | None = None) -> Voice:
    """An agent whose track gave a frame every 20 ms while it was there, audible ones while it talked."""
    frames = []
    for number in range(round(((left or 10.0) - came) * 50)):
        at = came + number / 50
        talking = any(start <= at < end for start, end in talks)
        frames.append(Frame(at, 0.2 if talking else 0.0, 24 if talking else 0))
    return Voice(f"agent-{name}", name, came, left, frames)


def hearing(*voices: Voice) -> Hearing:
    made = Hearing()
    made.voices.extend(voices)
    return made


@pytest.mark.parametrize("sentence", Sentence)
def test_a_sentence_is_known_by_its_sound_at_any_loudness_and_rate(sentence: Sentence) -> None:
    said = spoken(sentence)
    quiet = array("h", (sample // 8 for sample in said))
    faster = array("h", (sample for sample in said for _ in (0, 1)))
    assert [recognised(said, RATE), recognised(quiet, RATE), recognised(faster, 2 * RATE)] == [sentence] * 3


def test_silence_and_half_of_two_sentences_are_no_sentence() -> None:
    mixed = array(
        "h", (one // 2 + other // 2 for one, other in zip(spoken(Sentence.NAME), spoken(Sentence.HOURS), strict=True))
    )
    assert recognised(array("h", [0] * RATE), RATE) is None
    assert recognised(mixed, RATE) is None


def test_a_stretch_of_speech_has_its_tone_and_spans_a_breath() -> None:
    first, second = hearing(voice("mary", (1.0, 2.0), (2.3, 3.0), (5.0, 6.0))).heard("mary")
    assert (round(first.start, 2), round(first.end, 2), first.hertz) == (1.0, 2.98, 600.0)
    assert round(second.start, 2) == 5.0


def test_two_agents_that_talk_at_once_are_found() -> None:
    fair = hearing(voice("mary", (1.0, 2.0), left=3.0), voice("tom", (2.2, 3.0)))
    unfair = hearing(voice("mary", (1.0, 2.0), left=3.0), voice("tom", (1.9, 3.0)))
    assert fair.talking_at_once() == []
    assert [(one.agent_name, other.agent_name) for one, other in unfair.talking_at_once()] == [("mary", "tom")]


def test_a_moment_without_an_agent_is_found() -> None:
    seamless = hearing(voice("mary", left=3.0), voice("tom", came=2.0))
    broken = hearing(voice("mary", left=3.0), voice("tom", came=4.5))
    assert seamless.longest_alone(0.0, 9.0) == 0.0
    assert broken.longest_alone(0.0, 9.0) == 1.5
    assert seamless.longest_without_frames(0.0, 9.0) < 0.03
    assert broken.longest_without_frames(0.0, 9.0) > 1.5
    assert hearing().longest_alone(0.0, 9.0) == 9.0
