"""What a caller heard, frame by frame, and what it shows: who talked when, two at once, nobody there."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

FRAME_SECONDS = 0.02

AUDIBLE = 0.02
"""RMS of full scale. A tone of the stand-in has 0.2, a track on which nothing is played 0."""

BREATH = 0.4
"""Seconds of silence within what counts as one stretch of speech: between two sentences the next one is fetched."""


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of an agent's sound, as it came out of the client."""

    at: float
    """Monotonic clock, seconds."""
    rms: float
    """Of full scale."""
    crossings: int
    """How often the wave passed zero: twice per period of a tone."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """An agent was heard from here to there."""

    identity: str
    agent_name: str
    start: float
    end: float
    hertz: float
    """Of the tone that passes zero as often."""


@dataclass(slots=True)
class Voice:
    """One agent, as long as the caller was in the room with it."""

    identity: str
    agent_name: str
    came: float
    """Monotonic clock, seconds; of `left`, too."""
    left: float | None = None
    frames: list[Frame] = field(default_factory=list)

    def stretches(self, *, breath: float = BREATH) -> list[Stretch]:
        """When it was heard; silence of up to `breath` seconds within."""
        groups: list[list[Frame]] = []
        for frame in self.frames:
            if frame.rms <= AUDIBLE:
                continue
            if groups and frame.at - groups[-1][-1].at <= breath + FRAME_SECONDS:
                groups[-1].append(frame)
            else:
                groups.append([frame])
        return [Stretch(self.identity, self.agent_name, group[0].at, group[-1].at, _hertz(group)) for group in groups]


class Hearing:
    """All agents that a caller was ever in the room with."""

    def __init__(self) -> None:
        self.voices: list[Voice] = []
        """In the order in which they were seen."""

    def of(self, identity: str) -> Voice | None:
        """The voice of this participant."""
        return next((voice for voice in self.voices if voice.identity == identity), None)

    def present(self) -> list[str]:
        """The agent names of those who are there now."""
        return [voice.agent_name for voice in self.voices if voice.left is None]

    def heard(self, agent_name: str, *, since: float = 0.0) -> list[Stretch]:
        """When agents of this name were heard, in order; stretches that begin before `since` are left out."""
        found = [
            stretch
            for voice in self.voices
            if voice.agent_name == agent_name
            for stretch in voice.stretches()
            if stretch.start >= since
        ]
        return sorted(found, key=lambda stretch: stretch.start)

    def talking_at_once(self) -> list[tuple[Stretch, Stretch]]:
        """Pairs of stretches of two agents, one of which begins before the other has ended."""
        stretches = [stretch for voice in self.voices for stretch in voice.stretches()]
        stretches.sort(key=lambda stretch: stretch.start)
        return [
            (one, other)
            for one, other in itertools.combinations(stretches, 2)
            if one.identity != other.identity and other.start < one.end
        ]

    def longest_alone(self, since: float, until: float) -> float:
        """The longest time, in seconds, between `since` and `until` in which no agent was in the room."""
        return _longest_gap(
            [(voice.came, math.inf if voice.left is None else voice.left) for voice in self.voices], since, until
        )

    def longest_without_frames(self, since: float, until: float) -> float:
        """The longest time, in seconds, in which no agent's track gave a frame, a silent one included."""
        at = [frame.at for voice in self.voices for frame in voice.frames]
        return _longest_gap([(moment, moment) for moment in at], since, until)


def _hertz(frames: Sequence[Frame]) -> float:
    """Of the middle one of all frames: the first and the last hold the tone's edges."""
    crossings = sorted(frame.crossings for frame in frames)[len(frames) // 2]
    return crossings / 2 / FRAME_SECONDS


def _longest_gap(spans: Sequence[tuple[float, float]], since: float, until: float) -> float:
    covered, longest = since, 0.0
    for start, end in sorted(spans):
        longest = max(longest, min(start, until) - covered)
        covered = max(covered, min(end, until))
    return max(longest, until - covered)
