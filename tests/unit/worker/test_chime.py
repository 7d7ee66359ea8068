"""The chime is heard, does not hurt, and fits WebRTC's frames."""

from itertools import pairwise

from worker.chime import FRAME_SECONDS, LAST_NOTE_SECONDS, NOTE_SECONDS, NOTES, PEAK, SAMPLE_RATE, chime, frames


def test_the_chime_is_short() -> None:
    seconds = len(chime()) / SAMPLE_RATE
    assert round(seconds, 3) == round((len(NOTES) - 1) * NOTE_SECONDS + LAST_NOTE_SECONDS, 3)
    assert seconds < 1.5


def test_the_chime_is_heard_and_never_louder_than_its_peak() -> None:
    loudest = max(abs(sample) for sample in chime()) / 32_767
    assert 0.8 * PEAK < loudest <= PEAK


def test_the_chime_starts_joins_its_notes_and_ends_without_a_click() -> None:
    """A click is a step between two samples that the notes themselves do not make."""
    samples = [0, *chime(), 0]
    highest_note_step = 2 * 3.1416 * max(NOTES) / SAMPLE_RATE * PEAK * 32_767
    assert max(abs(b - a) for a, b in pairwise(samples)) < 1.1 * highest_note_step


def test_frames_are_of_one_length_and_lose_nothing() -> None:
    samples = chime()
    samples.append(1234)
    cut = list(frames(samples))
    assert {len(frame) for frame in cut} == {round(SAMPLE_RATE * FRAME_SECONDS)}
    joined = [sample for frame in cut for sample in frame]
    assert joined[: len(samples)] == list(samples)
    assert not any(joined[len(samples) :])
