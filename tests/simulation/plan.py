"""What one seed draws: who calls, who works, by which policies, and what breaks when."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.core.facts import CandidateSpec, PlacementSpec, Routed
from orchestrator.core.policy import OnLeave, Policy
from orchestrator.core.proof import Proof
from orchestrator.sandbox.workers import Behaviour
from tests.simulation.faults import Fault, draw_faults
from tests.simulation.wishes import Wish, draw_operations, draw_wishes

QUIET: Final = 100.0
"""Seconds after the last fault: what the slowest policy drawn here needs, and twenty in which nothing may move any more."""

SETTLED: Final = 80.0
"""Of these, the seconds after which all must be right, and quiet."""


_WITHOUT_WISHES: Final = 4
"""In every so many-th seed nobody asks for anything: what LiveKit alone can do shows best by itself."""


@dataclass(frozen=True, slots=True)
class Person:
    identity: str
    comes_at: float
    goes_at: float


@dataclass(frozen=True, slots=True)
class RoomPlan:
    name: str
    opens_at: float
    people: tuple[Person, ...]
    created: bool
    """Made by CreateRoom; otherwise by the first who joins."""
    agents: tuple[str, ...] = ()
    """Named in CreateRoom: foreign dispatches."""
    closes_at: float = math.inf


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    agent_name: str
    starts_at: float
    capacity: int
    behaviour: Behaviour = Behaviour()


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    policy: Policy
    rooms: tuple[RoomPlan, ...]
    workers: tuple[WorkerPlan, ...]
    faults: tuple[Fault, ...]
    faulty_until: float
    wishes: tuple[Wish, ...] = ()

    @property
    def ends_at(self) -> float:
        return self.faulty_until + QUIET

    def route(self, room: str, metadata: str) -> Routed:
        """By the room's name: which agents it gets."""
        kind = room.partition("-")[0]
        wanted = {"solo": ("mary",), "pair": ("mary", "tom"), "safe": ("mary",), "none": (), "shy": ("mary",)}[kind]
        policy = replace(self.policy, wait_for_people=kind == "shy")
        fallback = ("ann",) if kind == "safe" else ()
        specs = (PlacementSpec(tuple(CandidateSpec(n) for n in (name, *fallback)), policy) for name in wanted)
        return Routed(tuple(specs), route=kind)

    def without(self, faults: Sequence[Fault]) -> "Plan":
        return replace(self, faults=tuple(f for f in self.faults if f not in faults))


def draw(seed: int) -> Plan:
    """The plan of a seed: always the same one."""
    chance = random.Random(f"plan/{seed}")  # noqa: S311  # a simulation keeps no secrets
    faulty_until = chance.uniform(40.0, 100.0)
    plan = Plan(
        seed=seed,
        policy=_policy(chance),
        rooms=tuple(_rooms(chance, faulty_until)),
        workers=tuple(_workers(chance, faulty_until)),
        faults=tuple(draw_faults(chance, faulty_until)),
        faulty_until=faulty_until,
    )
    if seed % _WITHOUT_WISHES == 0:
        return plan
    # From a stream of their own: the rest of the story is the one that is told without them, too.
    wishing = random.Random(f"wishes/{seed}")  # noqa: S311
    operating = random.Random(f"operations/{seed}")  # noqa: S311
    wishes = (
        *draw_wishes(wishing, plan.rooms, plan.faults, faulty_until),
        *draw_operations(operating, plan.rooms, plan.faults, faulty_until),
    )
    return replace(plan, wishes=tuple(sorted(wishes, key=lambda wish: wish.at)))


def _policy(chance: random.Random) -> Policy:
    return Policy(
        attempts=chance.randint(2, 6),
        deadline=chance.uniform(25.0, 60.0),
        verify_at=chance.choice((Proof.JOINED, Proof.JOINED, Proof.ANSWERING)),
        on_leave=chance.choice((OnLeave.REPLACE, OnLeave.REPLACE, OnLeave.REPLACE, OnLeave.IGNORE)),
        goodbye_grace=chance.uniform(2.0, 15.0),
        keep_trying=chance.uniform(10.0, 20.0),
        backoff=chance.uniform(0.5, 2.0),
        backoff_cap=chance.uniform(4.0, 15.0),
    )


def _rooms(chance: random.Random, until: float) -> Iterator[RoomPlan]:
    for number in range(chance.randint(2, 8)):
        kind = chance.choice(("solo", "solo", "solo", "pair", "safe", "shy", "none"))
        room = _room(chance, f"{kind}-{number}", chance.uniform(0.0, until * 0.7), until)
        yield room
        if room.closes_at < until and chance.random() < 0.7:  # and again under the same name: another room, another sid
            yield _room(chance, room.name, room.closes_at + chance.uniform(0.2, 8.0), until)


def _room(chance: random.Random, name: str, opens_at: float, until: float) -> RoomPlan:
    people = []
    for index in range(chance.choice((0, 1, 1, 1, 2, 3))):
        comes_at = opens_at + (0.0 if index == 0 else chance.uniform(0.0, 20.0))
        goes_at = comes_at + chance.uniform(5.0, 40.0) if chance.random() < 0.3 else math.inf
        people.append(Person(f"person-{opens_at:.0f}-{index}", comes_at, goes_at))
    created = not people or chance.random() < 0.4
    agents = ("mary",) if created and not name.startswith("none") and chance.random() < 0.15 else ()
    closes_at = opens_at + chance.uniform(5.0, 60.0) if chance.random() < 0.2 else math.inf
    return RoomPlan(name, opens_at, tuple(people), created, agents, closes_at if closes_at < until else math.inf)


def _workers(chance: random.Random, until: float) -> list[WorkerPlan]:
    workers = []
    for name in ("mary", "tom", "ann"):
        if chance.random() < 0.9:  # otherwise nobody works under this name, to the very end
            workers.append(WorkerPlan(name, -10.0 if chance.random() < 0.8 else chance.uniform(0.0, until), 50))
        if chance.random() < 0.3:
            workers.append(WorkerPlan(name, chance.uniform(-10.0, until), 5, _strange(chance)))
    return workers


def _strange(chance: random.Random) -> Behaviour:
    return chance.choice(
        (
            Behaviour(answer_after=4.0),
            Behaviour(start_after=chance.uniform(3.0, 12.0)),
            Behaviour(start_after=20.0),
            Behaviour(refuses="terminate"),
            Behaviour(refuses="keep"),
            Behaviour(crashes="before_join"),
            Behaviour(crashes="after_join"),
            Behaviour(leaves_after=chance.uniform(0.5, 4.0)),
            Behaviour(leaves_after=chance.uniform(6.0, 30.0)),
            Behaviour(knows_pulse=True),
            Behaviour(joins_without_attributes=True),
        )
    )
