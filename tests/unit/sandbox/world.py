"""A sandbox in virtual time, and what it tells and shows."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from orchestrator import contract
from orchestrator.runtime.tasks import Tasks
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.model import ApiError, Participant, Webhook
from orchestrator.sandbox.timing import Timing
from orchestrator.sandbox.workers import Behaviour, Worker
from tests.unit.runtime.service import VirtualClock


class World:
    """A sandbox whose webhooks are received, each with this status, and kept with their times."""

    def __init__(self, seed: int = 1, *, faults: Faults = Faults(), timing: Timing = Timing()) -> None:
        self.clock = VirtualClock()
        self.crashes: list[str] = []
        self.tasks = Tasks(lambda name, error: self.crashes.append(f"{name}: {error!r}"))
        chance = random.Random(seed)  # noqa: S311  # a simulation's, and keeps no secrets
        self.sandbox = Sandbox(self.clock, chance, self.tasks.spawn, faults=faults, timing=timing)
        self.sandbox.deliver = self._receive
        self.status = 200
        self.received: list[tuple[float, Webhook]] = []

    async def _receive(self, webhook: Webhook) -> int:
        self.received.append((self.clock.monotonic(), webhook))
        return self.status

    @property
    def events(self) -> list[str]:
        """The webhooks in short, as they came."""
        return [w.event + (f" {w.participant.identity}" if w.participant else "") for _, w in self.received]

    async def worker(self, agent_name: str = "mary", *, capacity: int = 50, behaviour: Behaviour | None = None) -> Worker:
        """A worker that has registered, with a server that remembers so."""
        worker = self.sandbox.start_worker(agent_name, capacity=capacity, behaviour=behaviour or Behaviour())
        await self.until(lambda: worker.registered, "the worker has registered")
        await self.warm()
        return worker

    async def warm(self) -> None:
        """The server's memory of which names have workers is fresh, and nobody's answer is waited for any more."""
        await self.sandbox.create_dispatch("elsewhere", "nobody")
        await self.clock.sleep(5.1)

    async def agent_in(self, room: str, agent_name: str = "mary") -> Participant:
        """Dispatch, and wait until the agent is ACTIVE."""
        await self.sandbox.create_dispatch(room, agent_name)
        await self.until(lambda: bool(self.sandbox.living_agents(room, agent_name)), f"an agent is in {room}")
        return await self.the_agent(room)

    async def the_agent(self, room: str) -> Participant:
        agents = [p for p in await self.sandbox.list_participants(room) if p.is_agent]
        assert len(agents) == 1, agents
        return agents[0]

    async def identities(self, room: str) -> list[str]:
        return [participant.identity for participant in await self.sandbox.list_participants(room)]

    async def pulse(self, room: str, identity: str, timeout: float = 1.5) -> tuple[int, str, float]:
        """How a participant answers Rollcall's question: status, message, and after how long."""
        asked_at = self.clock.monotonic()
        try:
            await self.sandbox.perform_rpc(room, identity, contract.PULSE_METHOD, "", timeout)
            status, message = 200, ""
        except ApiError as refusal:
            status, message = refusal.status, refusal.message
        return status, message, self.clock.monotonic() - asked_at

    async def until(self, condition: Callable[[], bool], description: str, timeout: float = 120.0) -> float:
        """Wait in virtual time, and say how long it took."""
        begun = self.clock.monotonic()
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    await self.clock.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"not in {timeout} s: {description}") from None
        return self.clock.monotonic() - begun


@asynccontextmanager
async def world(seed: int = 1, *, faults: Faults = Faults(), timing: Timing = Timing()) -> AsyncIterator[World]:
    built = World(seed, faults=faults, timing=timing)
    try:
        yield built
    finally:
        await built.tasks.cancel()
        assert built.crashes == []
