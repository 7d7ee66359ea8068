"""What one seed draws beside LiveKit's own life: who is asked for, who is sent away, who takes whose place, and when."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tests.simulation.faults import Fault

if TYPE_CHECKING:
    from tests.simulation.plan import RoomPlan

NOBODY_WORKS_AS: Final = "zoe"
"""An agent name without workers, in every seed."""


class Asks(StrEnum):
    ADD = "add"
    REMOVE = "remove"
    SWITCH = "switch"
    TOKEN = "token"
    REDISPATCH = "redispatch"
    PAUSE = "pause"
    """Of the agent's name, in all rooms."""
    RESUME = "resume"


_OF_ROOMS: Final = (Asks.ADD, Asks.REMOVE, Asks.SWITCH, Asks.TOKEN)
_OF_OPERATORS: Final = (Asks.REDISPATCH, Asks.PAUSE, Asks.RESUME)


@dataclass(frozen=True, slots=True)
class Wish:
    """One request to one room, made by an operator, a client that asks for a token, or an agent that hands over."""

    at: float
    room: str
    asks: Asks
    agent_name: str
    """Who is to come. Who is to go is known only when it is asked."""
    target: int = 0
    """Who is to go, counted through those that are there as often as needed."""
    fallback: tuple[str, ...] = ()
    grace: float = 0.0
    goes_after: float = math.inf
    """Seconds after which a relieved agent leaves by itself: it has introduced the new one."""
    lasts: float = 0.0
    """Seconds after which a pause ends by itself."""
    again_after: float | None = None
    """The same is asked twice, so many seconds apart, as clients repeat what was not answered in time."""

    def __str__(self) -> str:
        if self.asks in _OF_OPERATORS:
            what = f" of {self.agent_name}" if self.asks is not Asks.REDISPATCH else f" in {self.room}"
            return f"{self.at:7.2f} s  {self.asks}{what} lasts={self.lasts:.2f} again_after={self.again_after}"
        again = "" if self.again_after is None else f" again_after={self.again_after:.2f}"
        who = "" if self.asks is Asks.REMOVE else f" {','.join((self.agent_name, *self.fallback))}"
        how = f" target={self.target} grace={self.grace:.2f} goes_after={self.goes_after:.2f}{again}"
        return f"{self.at:7.2f} s  {self.asks}{who} in {self.room}{how}"


def draw_wishes(chance: random.Random, rooms: Sequence["RoomPlan"], faults: Sequence[Fault], until: float) -> list[Wish]:
    """A few: mostly alone, sometimes several in a row for one room."""
    drawn: list[Wish] = []
    for _ in range(chance.choice((1, 1, 2, 2, 3, 4))):
        drawn.extend(_in_a_row(chance, chance.choice(rooms), faults, until))
    return sorted(drawn, key=lambda wish: wish.at)


def _in_a_row(chance: random.Random, room: "RoomPlan", faults: Sequence[Fault], until: float) -> Iterator[Wish]:
    at = _moment(chance, room, faults, until)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        yield _wish(chance, room, at)
        at = min(at + chance.choice((0.0, chance.uniform(0.0, 1.0), chance.uniform(1.0, 12.0))), until)


def draw_operations(chance: random.Random, rooms: Sequence["RoomPlan"], faults: Sequence[Fault], until: float) -> list[Wish]:
    """What operators do to what is there: begin rounds anew, pause agents and resume them. Mostly a few of these, or none."""
    return [_operation(chance, chance.choice(rooms), faults, until) for _ in range(chance.choice((0, 1, 2, 3, 5)))]


def _operation(chance: random.Random, room: "RoomPlan", faults: Sequence[Fault], until: float) -> Wish:
    return Wish(
        _moment(chance, room, faults, until),
        room.name,
        chance.choices(_OF_OPERATORS, (5, 2, 2))[0],
        agent_name=chance.choice(("mary", "mary", "tom", "ann")),
        lasts=chance.uniform(0.5, 20.0),
        again_after=chance.choice((0.0, chance.uniform(0.0, 3.0))) if chance.random() < 0.25 else None,
    )


def _moment(chance: random.Random, room: "RoomPlan", faults: Sequence[Fault], until: float) -> float:
    """Any time of the room's life; rather often when it has just opened, when something breaks, or when it has closed."""
    when = chance.random()
    if when < 0.15:
        at = room.opens_at + chance.uniform(0.0, 0.1)
    elif when < 0.5 and faults:
        fault = chance.choice(faults)
        at = fault.at + chance.uniform(-0.5, max(fault.lasts, 3.0))
    elif room.closes_at < until:
        at = room.closes_at + chance.uniform(-1.0, 2.5)
    else:
        at = chance.uniform(room.opens_at, max(min(room.closes_at, until), room.opens_at))
    return min(max(at, 0.0), until)


def _wish(chance: random.Random, room: "RoomPlan", at: float) -> Wish:
    closed = at > room.closes_at  # whoever asks for an agent now opens the room again
    asks = chance.choices(_OF_ROOMS, (5, 1, 1, 3) if closed else (3, 3, 5, 1))[0]
    return Wish(
        at,
        room.name,
        asks,
        agent_name=chance.choice(("mary", "tom", "tom", "ann", "ann", NOBODY_WORKS_AS)),
        target=chance.randrange(1000),
        fallback=("ann",) if asks is Asks.ADD and chance.random() < 0.2 else (),
        grace=chance.choice((0.0, chance.uniform(1.0, 20.0), chance.uniform(1.0, 20.0))) if asks is Asks.SWITCH else 0.0,
        goes_after=chance.uniform(0.5, 6.0) if chance.random() < 0.6 else math.inf,
        again_after=chance.choice((0.0, chance.uniform(0.0, 3.0))) if chance.random() < 0.25 else None,
    )
