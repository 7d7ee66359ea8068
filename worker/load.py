"""How busy the worker says it is."""

from __future__ import annotations

from collections.abc import Callable

from livekit.agents import AgentServer

FULL = 0.7
"""The load at which livekit-agents takes no more jobs, and livekit-server offers none."""


def load_by_jobs(limit: int) -> Callable[[AgentServer], float]:
    """A load that grows with the jobs and is full at `limit` of them.

    The usual measure is the machine's CPU. Where other programs share the machine a worker is then passed over for what
    they do, and LiveKit does not say so.
    """

    def load(server: AgentServer) -> float:
        # In this order: 0.7 * 3 / 3 is less than 0.7, and a fourth job would be taken.
        return FULL * (len(server.active_jobs) / limit)

    return load
