"""Rounds of the reconciler in a process of their own: `python -m tests.benchmarks.one_round URL-OF-REDIS ROUNDS`.

LiveKit is where LIVEKIT_URL says. Prints what it cost, as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from dataclasses import asdict, dataclass

import structlog

from orchestrator.core.reconciling import LOOK_EVERY, Round
from orchestrator.livekit.api import LiveKitApi
from orchestrator.runtime.asking import Asker
from orchestrator.runtime.clock import StoreClock, SystemRandomness
from orchestrator.runtime.intake import Intake
from orchestrator.runtime.reconciler import Reconciler, ReconcilerTimes
from orchestrator.runtime.standing import Standing
from orchestrator.serving import spare_the_collector
from orchestrator.store.connection import Connection
from orchestrator.store.hearing import WebhookHearing
from orchestrator.store.incidents import ServiceIncidents
from orchestrator.store.keys import Keys
from orchestrator.store.leases import ReplicaLeases
from orchestrator.store.outbox import Outbox
from orchestrator.store.rounds import ReconcileRounds
from orchestrator.store.sessions import Retention, Sessions
from tests.benchmarks.fleet import connected
from tests.benchmarks.resident import forget_peak, peak_megabytes, resident_megabytes

REPLICA = "reconciler"

LISTINGS = 5

LATER = 2 * LOOK_EVERY
"""Seconds by which the rounds take place later than the rooms were heard of: they are quiet, and must be looked into."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU in seconds of each round and of each bare listing, how much the first round grew, and what the last one did."""

    rounds: list[float]
    listings: list[float]
    peak_megabytes: float
    looked: int
    differing: int
    adopted: int
    ended: int


async def measure(redis_url: str, rounds: int) -> Cost:
    clock = StoreClock()
    api = LiveKitApi(
        os.environ["LIVEKIT_URL"],
        os.environ["LIVEKIT_API_KEY"],
        os.environ["LIVEKIT_API_SECRET"],
        clock=clock,
        on_throttled=lambda: None,
    )
    async with connected(redis_url) as connection, api:
        store = Sessions(connection, Keys(), Retention())
        clock.learn(await store.now() + LATER, asked_at=clock.monotonic())
        reconciler = _reconciler(connection, store, api, clock)
        spare_the_collector()  # as `rollcall serve` does
        forget_peak()
        before = resident_megabytes()
        found, first = await _cpu_seconds_of_a_round(reconciler)
        peak = peak_megabytes() - before
        costs = [first]
        for _ in range(rounds - 1):
            found, cost = await _cpu_seconds_of_a_round(reconciler)
            costs.append(cost)
        listings = [await _cpu_seconds_of_a_listing(api) for _ in range(LISTINGS)]
    return Cost(costs, listings, peak, found.looked, found.differing, found.adopted, found.ended)


def _reconciler(connection: Connection, store: Sessions, api: LiveKitApi, clock: StoreClock) -> Reconciler:
    """As the runtime has it, but for the budget, and for whoever would act on what it finds."""
    keys = Keys()

    async def nobody_drives(_sid: str, _owner: str) -> None:
        message = "the owner of the fleet has lost its lease"
        raise RuntimeError(message)

    return Reconciler(
        replica=REPLICA,
        livekit=api,
        asker=Asker(api, api, timeout=1.5),
        store=store,
        rounds=ReconcileRounds(connection, keys),
        leases=ReplicaLeases(connection, keys),
        hearing=WebhookHearing(connection, keys),
        intake=Intake(store, REPLICA, lambda _sid, _claimed: None),
        standing=Standing(ServiceIncidents(connection, keys), Outbox(connection, keys, []), clock),
        claim=nobody_drives,
        clock=clock,
        randomness=SystemRandomness(),
        times=ReconcilerTimes(),
    )


async def _cpu_seconds_of_a_round(reconciler: Reconciler) -> tuple[Round, float]:
    before = time.process_time()
    found = await reconciler.round()
    return found, time.process_time() - before


async def _cpu_seconds_of_a_listing(api: LiveKitApi) -> float:
    before = time.process_time()
    await api.rooms()
    return time.process_time() - before


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(json.dumps(asdict(asyncio.run(measure(sys.argv[1], int(sys.argv[2]))))))
