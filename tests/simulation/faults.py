"""The faults of faults.md that can be stated in one process, each with how it is drawn and what it does to the world."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Fault:
    at: float
    kind: str
    lasts: float = 0.0
    value: float = 0.0
    target: int = 0
    """Which replica, agent or worker, counted through as often as needed."""

    def __str__(self) -> str:
        return f"{self.at:7.2f} s  {self.kind} lasts={self.lasts:.2f} value={self.value:.2f} target={self.target}"


Strike = Callable[["World", Fault], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kind:
    strike: Strike
    lasts: tuple[float, float] = (0.0, 0.0)
    value: tuple[float, float] = (0.0, 0.0)
    weight: float = 1.0


# --- what strikes -----------------------------------------------------------------------------------------------------


def _sandbox(switch: str, kind: type[Any] = float) -> Strike:
    """A switch of the sandbox is on for a while."""

    async def strike(world: "World", fault: Fault) -> None:
        value = kind(fault.value) if kind is not bool else True
        with world.sandbox_fault(switch, value):
            await world.clock.sleep(fault.lasts)

    return strike


async def _agent_killed(world: "World", fault: Fault) -> None:
    if agent := world.pick_agent(fault.target):
        agent.kill()


async def _agent_frozen(world: "World", fault: Fault) -> None:
    if agent := world.pick_agent(fault.target):
        agent.freeze(fault.value)


async def _agent_frozen_for_good(world: "World", fault: Fault) -> None:
    if agent := world.pick_agent(fault.target):
        agent.freeze(None)


async def _agent_leaves(world: "World", fault: Fault) -> None:
    if agent := world.pick_agent(fault.target):
        if fault.value > 0.7:
            agent.declare_done()
        agent.leave("CLIENT_INITIATED" if fault.value > 0.3 else "AGENT_ERROR")


async def _worker_killed(world: "World", fault: Fault) -> None:
    await world.workforce.lose(fault.target, drained=False, back_after=fault.lasts)


async def _worker_drained(world: "World", fault: Fault) -> None:
    await world.workforce.lose(fault.target, drained=True, back_after=fault.lasts)


async def _livekit_restarted(world: "World", fault: Fault) -> None:
    world.sandbox.restart(keeps_state=False, down=fault.lasts)


async def _livekit_restarted_with_its_state(world: "World", fault: Fault) -> None:
    world.sandbox.restart(keeps_state=True, down=fault.lasts)


async def _replica_killed(world: "World", fault: Fault) -> None:
    await world.lose_replica(fault.target, down=fault.lasts)


async def _all_replicas_killed(world: "World", fault: Fault) -> None:
    for target in range(len(world.replicas)):
        world.spawn("fault", world.lose_replica(target, down=fault.lasts))


async def _replica_paused(world: "World", fault: Fault) -> None:
    process = world.replica(fault.target).process
    process.pause()
    await world.clock.sleep(min((5.0, 12.0, 60.0)[int(fault.value)], world.plan.faulty_until - fault.at))
    process.resume()


async def _replica_stopped(world: "World", fault: Fault) -> None:
    await world.stop_replica(fault.target, down=fault.lasts)


async def _store_down(world: "World", fault: Fault) -> None:
    world.server.down = True
    await world.clock.sleep(fault.lasts)
    world.server.down = False
    world.server.restart()


async def _store_slow(world: "World", fault: Fault) -> None:
    world.server.slow += fault.value
    await world.clock.sleep(fault.lasts)
    world.server.slow -= fault.value


async def _store_mute(world: "World", fault: Fault) -> None:
    world.server.lose_replies = True
    await world.clock.sleep(fault.lasts)
    world.server.lose_replies = False


async def _store_rolled_back(world: "World", fault: Fault) -> None:
    world.server.down = True
    await world.clock.sleep(fault.lasts)
    world.server.down = False
    world.lose_data(fault.value)


async def _store_wiped(world: "World", fault: Fault) -> None:
    world.lose_data(None)


async def _cut_from_store(world: "World", fault: Fault) -> None:
    line = world.replica(fault.target).line
    line.cut = True
    await world.clock.sleep(fault.lasts)
    line.cut = False
    world.heard_again(line)


async def _deaf_to_store(world: "World", fault: Fault) -> None:
    line = world.replica(fault.target).line
    line.deaf = True
    await world.clock.sleep(fault.lasts)
    line.deaf = False
    world.heard_again(line)


async def _cut_from_livekit(world: "World", fault: Fault) -> None:
    name = world.replica(fault.target).name
    world.sandbox.unreachable.add(name)
    await world.clock.sleep(fault.lasts)
    world.sandbox.unreachable.discard(name)


KINDS: Final[dict[str, Kind]] = {
    "webhooks lost": Kind(_sandbox("lose_webhooks"), (5, 40), (0.2, 1.0), 2),
    "webhooks duplicated": Kind(_sandbox("duplicate_webhooks", int), (5, 30), (1, 50), 1),
    "webhooks out of order": Kind(_sandbox("shuffle_webhooks"), (5, 40), (0.5, 20), 5),
    "webhooks blocked": Kind(_sandbox("webhooks_blocked", bool), (10, 60), (1, 1), 1),
    "dispatches lost": Kind(_sandbox("drop_dispatch"), (5, 30), (0.2, 1.0), 2),
    "late joiners": Kind(_sandbox("late_joiners"), (5, 30), (0.3, 1.0), 3),
    "API errors": Kind(_sandbox("api_error"), (3, 20), (0.1, 0.9), 2),
    "API hangs": Kind(_sandbox("api_hang"), (3, 20), (0.1, 0.9), 1),
    "API replies lost": Kind(_sandbox("lost_reply"), (3, 20), (0.1, 1.0), 2),
    "API slow": Kind(_sandbox("slow_api"), (3, 20), (0.2, 4.0), 1),
    "API rejects credentials": Kind(_sandbox("rejects_credentials", bool), (2, 15), (1, 1), 1),
    # Two listings that lack a room, two seconds apart, are the end of it: so long one may lie.
    "listings empty": Kind(_sandbox("empty_listing"), (0.5, 1.5), (1, 1), 4),
    "listings partial": Kind(_sandbox("partial_listing"), (0.5, 1.5), (1, 1), 1),
    "pulse unavailable": Kind(_sandbox("pulse_unavailable", bool), (5, 40), (1, 1), 2),
    "pulse slow": Kind(_sandbox("pulse_slow"), (5, 30), (0.5, 5.0), 1),
    "agent killed": Kind(_agent_killed, weight=3),
    "agent frozen for a moment": Kind(_agent_frozen, value=(1.0, 5.0), weight=2),
    "agent frozen for good": Kind(_agent_frozen_for_good, weight=2),
    "agent leaves": Kind(_agent_leaves, value=(0, 1), weight=2),
    "worker killed": Kind(_worker_killed, (0.5, 20), weight=2),
    "worker drained": Kind(_worker_drained, (0.5, 20)),
    "LiveKit restarted": Kind(_livekit_restarted, (0.5, 8)),
    "LiveKit restarted with its state": Kind(_livekit_restarted_with_its_state, (0.5, 8)),
    "replica killed": Kind(_replica_killed, (0.5, 30), weight=4),
    "all replicas killed": Kind(_all_replicas_killed, (0.5, 10)),
    "replica paused": Kind(_replica_paused, value=(0, 2.99), weight=3),
    "replica stopped": Kind(_replica_stopped, (0.5, 20), weight=2),
    "store down": Kind(_store_down, (0.5, 15), weight=2),
    "store slow": Kind(_store_slow, (2, 15), (0.2, 3.0)),
    "store executes and does not answer": Kind(_store_mute, (0.5, 8), weight=2),
    "store rolled back": Kind(_store_rolled_back, (0.1, 3), (0.5, 15), 2),
    "store wiped": Kind(_store_wiped, weight=0.5),
    "replica cut from the store": Kind(_cut_from_store, (2, 25), weight=2),
    "replica deaf to the store": Kind(_deaf_to_store, (2, 25)),
    "replica cut from LiveKit": Kind(_cut_from_livekit, (2, 25), weight=2),
}

ONCE: Final = frozenset({"listings empty", "listings partial", "store wiped"})
"""Kinds of which a second one would be another story: two listings that lie alike, far apart, are two witnesses."""

AT_ITS_LEAST: Final = 3.0
"""Seconds before the first fault."""


def draw_faults(chance: random.Random, until: float) -> list[Fault]:
    """Few of them mostly, so that what each does shows; sometimes many at once. All are over when `until` comes."""
    names, weights = list(KINDS), [kind.weight for kind in KINDS.values()]
    drawn: list[Fault] = []
    for name in chance.choices(names, weights, k=chance.choice((0, 1, 2, 2, 3, 3, 4, 6, 9))):
        if name in ONCE and any(fault.kind in ONCE for fault in drawn):
            continue
        kind = KINDS[name]
        at = chance.uniform(AT_ITS_LEAST, until - 2.0)
        lasts = min(chance.uniform(*kind.lasts), until - at)
        drawn.append(Fault(at, name, lasts, chance.uniform(*kind.value), chance.randrange(1000)))
    return sorted(drawn, key=lambda fault: fault.at)
