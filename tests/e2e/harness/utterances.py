"""What callers say, as sound: a made-up voice that a detector of speech believes, and a tone that tells the sentence.

A plain sine is no speech to the detector and would never reach the transcription. So an utterance is a few syllables (pulses
through three formants, as a throat makes them), the same for each sentence, and above them a quiet tone of the sentence's own,
where the voice has nothing. Whoever gets the sound, and only who gets it, can tell what was said.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from enum import StrEnum
from functools import cache

RATE = 24_000
"""Samples per second, one channel of signed 16 bit."""


class Sentence(StrEnum):
    """What can be said."""

    NAME = "What is your name?"
    HOURS = "When are you open on Saturday?"
    TRANSFER = "Transfer me to Tom, please."
    GOODBYE = "That is all, goodbye."
    THANKS = "Thank you."


_FIRST_TONE = 4_800.0
_BETWEEN_TONES = 400.0
_TONES = {sentence: _FIRST_TONE + _BETWEEN_TONES * number for number, sentence in enumerate(Sentence)}
"""Hertz: above the voice, and where a wideband codec still carries them."""

_SYLLABLES = "aiua"
_FORMANTS = {
    "a": ((730, 90), (1_090, 110), (2_440, 170)),
    "i": ((270, 60), (2_290, 100), (3_010, 150)),
    "u": ((300, 60), (870, 100), (2_240, 150)),
}
"""Centre and width of each, hertz: the vowels of a textbook."""

_PITCH = (160.0, 100.0)
"""Hertz: it falls, as it does at the end of a sentence."""
_SYLLABLE_SECONDS = 0.18
_PAUSE_SECONDS = 0.03
_VOICE_PEAK = 0.5
_TONE_PEAK = 0.06

_BLOCK = RATE // 10
"""Samples that are looked at together: 0.1 s."""
_STANDS_OUT = 6.0
"""How many times stronger than the next one the tone must be. Clean ones are above 50."""


@cache
def spoken(sentence: Sentence) -> array[int]:
    """The samples of a sentence."""
    voice: list[float] = []
    for number, vowel in enumerate(_SYLLABLES):
        pitch = _PITCH[0] + (_PITCH[1] - _PITCH[0]) * number / len(_SYLLABLES)
        voice.extend(_syllable(vowel, pitch))
        voice.extend([0.0] * round(RATE * _PAUSE_SECONDS))
    step = 2 * math.pi * _TONES[sentence] / RATE
    mixed = (_VOICE_PEAK * sample + _TONE_PEAK * math.sin(step * at) for at, sample in enumerate(voice))
    return array("h", (round(32_767 * sample) for sample in mixed))


def recognised(samples: Sequence[int], rate: int) -> Sentence | None:
    """The sentence in these samples; None where no tone stands out."""
    strengths = {sentence: _strength(samples, tone, rate) for sentence, tone in _TONES.items()}
    best, second, *_ = sorted(strengths, key=lambda sentence: -strengths[sentence])
    return best if strengths[best] > _STANDS_OUT * strengths[second] else None


def _syllable(vowel: str, pitch: float) -> list[float]:
    count = round(RATE * _SYLLABLE_SECONDS)
    period = round(RATE / pitch)
    sound = [1.0 if at % period == 0 else 0.0 for at in range(count)]
    for centre, width in _FORMANTS[vowel]:
        sound = _resonance(sound, centre, width)
    loudest = max(map(abs, sound))
    return [sample / loudest * math.sin(math.pi * at / count) ** 0.5 for at, sample in enumerate(sound)]


def _resonance(sound: list[float], centre: float, width: float) -> list[float]:
    """What a cavity that rings at `centre` makes of the sound: a filter with two poles."""
    radius = math.exp(-math.pi * width / RATE)
    first, second = 2 * radius * math.cos(2 * math.pi * centre / RATE), -radius * radius
    before = last = 0.0
    rung: list[float] = []
    for sample in sound:
        before, last = last, sample + first * last + second * before
        rung.append(last)
    return rung


def _strength(samples: Sequence[int], tone: float, rate: int) -> float:
    """The power of a tone in the samples, by Goertzel's algorithm, block by block: a lost packet shifts its phase."""
    factor = 2 * math.cos(2 * math.pi * tone / rate)
    size = max(1, _BLOCK * rate // RATE)
    power = 0.0
    for start in range(0, len(samples), size):
        before = last = 0.0
        for sample in samples[start : start + size]:
            before, last = last, sample + factor * last - before
        power += last * last + before * before - factor * last * before
    return power
