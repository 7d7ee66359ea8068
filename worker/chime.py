"""A short chime: three rising notes that say "somebody is here", made of sines so that no sound file is needed."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator

SAMPLE_RATE = 48_000
"""Samples per second, one channel of signed 16 bit: what Opus, and so WebRTC, works with."""

NOTES = (523.25, 659.25, 783.99)
"""Hertz: C5, E5, G5."""

NOTE_SECONDS = 0.18
LAST_NOTE_SECONDS = 0.6
"""The last note rings out."""

PEAK = 0.3
"""Of full scale: clearly heard, never startling."""

ATTACK_SECONDS = 0.01
"""A note that starts at once clicks."""

FRAME_SECONDS = 0.02
"""One Opus frame."""


def chime() -> array[int]:
    """The whole chime as samples."""
    samples: array[int] = array("h")
    for note in NOTES[:-1]:
        samples.extend(_note(note, NOTE_SECONDS))
    samples.extend(_note(NOTES[-1], LAST_NOTE_SECONDS))
    return samples


def frames(samples: array[int]) -> Iterator[array[int]]:
    """`samples` cut into frames of equal length, the last one filled up with silence."""
    size = round(SAMPLE_RATE * FRAME_SECONDS)
    for start in range(0, len(samples), size):
        frame = samples[start : start + size]
        frame.extend([0] * (size - len(frame)))
        yield frame


def _note(hertz: float, seconds: float) -> Iterator[int]:
    count = round(SAMPLE_RATE * seconds)
    for index in range(count):
        at = index / SAMPLE_RATE
        # Squared, so that the end is as soft as a bell's and joins the next note without a step.
        fade = (1 - index / count) ** 2
        rise = min(1.0, at / ATTACK_SECONDS)
        yield round(32_767 * PEAK * rise * fade * math.sin(2 * math.pi * hertz * at))
