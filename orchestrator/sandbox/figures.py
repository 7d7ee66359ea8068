"""How the sandbox is doing, in numbers, for whoever watches it."""

from dataclasses import dataclass

from orchestrator.sandbox.engine import Sandbox


@dataclass(frozen=True, slots=True)
class Figures:
    """What is true at one time, whatever is listed."""

    seconds: float
    """Since the sandbox began."""
    rooms: int
    rooms_with_agent: int
    """With at least one agent whose process lives."""
    doubled_agents: int
    """Agent names of which there are two or more in one room."""
    agents_killed: int
    dispatches: int
    dispatches_lost: int
    webhooks: int
    webhooks_lost: int

    def __str__(self) -> str:
        return (
            f"{self.seconds:5.0f} s  rooms {self.rooms}, with agent {self.rooms_with_agent}, doubled {self.doubled_agents}"
            f"  dispatches {self.dispatches}, lost {self.dispatches_lost}"
            f"  webhooks {self.webhooks}, lost {self.webhooks_lost}"
            f"  agents killed {self.agents_killed}"
        )


def figures(sandbox: Sandbox, *, seconds: float, agents_killed: int) -> Figures:
    """Count all rooms as they are now."""
    with_agent = doubled = 0
    for room in sandbox.rooms:
        names = [agent.agent_name for agent in sandbox.living_agents(room)]
        with_agent += bool(names)
        doubled += sum(names.count(name) > 1 for name in set(names))
    tally = sandbox.tally
    return Figures(
        seconds=seconds,
        rooms=len(sandbox.rooms),
        rooms_with_agent=with_agent,
        doubled_agents=doubled,
        agents_killed=agents_killed,
        dispatches=tally.dispatches,
        dispatches_lost=tally.dispatches_lost,
        webhooks=tally.webhooks,
        webhooks_lost=tally.webhooks_lost,
    )
