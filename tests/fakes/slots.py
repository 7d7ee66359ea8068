"""Slots of one test, without rules: so many per agent name, or none while `breaker` is set."""

from collections import defaultdict

from orchestrator.core.causes import Cause
from orchestrator.runtime.ports import SlotEnd, SlotReply


class ScriptedSlots:
    """Remembers how each hold ended, and how many were held at once."""

    def __init__(self, limit: int = 4) -> None:
        self.limit = limit
        self.held: dict[str, set[str]] = defaultdict(set)
        self.ends: list[tuple[str, SlotEnd]] = []
        self.most = 0
        self.breaker: Cause | None = None

    async def take(self, agent_name: str, holder: str, *, priority: int, since: float, hold: float) -> SlotReply:
        held = self.held[agent_name]
        if self.breaker is None and (holder in held or len(held) < self.limit):
            held.add(holder)
            self.most = max(self.most, len(held))
            return SlotReply(True, self.limit, 0, False, None)
        return SlotReply(False, self.limit, 1, self.breaker is not None, self.breaker)

    async def give_back(self, agent_name: str, holder: str, end: SlotEnd, *, accept_window: float, cause: Cause | None) -> None:
        if holder in self.held[agent_name]:
            self.held[agent_name].discard(holder)
            self.ends.append((agent_name, end))

    async def welcome(self, agent_name: str) -> None:
        self.breaker = None

    async def counts(self) -> dict[str, tuple[int, int, int, bool]]:
        return {}
