"""How many dispatches of one agent name may be under way, over all replicas: the runtime's Slots. The rules are in Lua."""

import asyncio
from dataclasses import dataclass
from typing import Final

from orchestrator.core.causes import Cause
from orchestrator.runtime.ports import SlotEnd, SlotReply
from orchestrator.store.connection import Argument, Connection, Reply
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script

_SHARED: Final = "slots"


@dataclass(frozen=True, slots=True)
class SlotLimits:
    """Dispatches of one agent name that may be called but not yet joined."""

    start: int = 4
    """5 at once were always served by a livekit-server with one worker, on 2 cores."""
    floor: int = 2
    ceiling: int = 64


class PacedSlots:
    """Slots as members of a sorted set that lapse, so that those of a dead replica come free by themselves."""

    def __init__(self, connection: Connection, keys: Keys, limits: SlotLimits) -> None:
        self._connection = connection
        self._keys = keys
        self._limits = limits
        self._agent_names: set[str] = set()
        self._take = Script.load(_SHARED, "slot_take")
        self._give_back = Script.load(_SHARED, "slot_give_back")
        self._welcome = Script.load(_SHARED, "slot_welcome")
        self._counts = Script.load(_SHARED, "slot_counts")

    async def take(self, agent_name: str, holder: str, *, priority: int, since: float, hold: float) -> SlotReply:
        self._agent_names.add(agent_name)
        granted, limit, ahead, breaker_open, cause = await self._run(
            self._take, agent_name, holder, priority, round(since * 1000), round(hold * 1000)
        )
        return SlotReply(
            granted=bool(granted),
            limit=limit,
            ahead=ahead,
            breaker_open=bool(breaker_open),
            cause=Cause(cause.decode()) if cause else None,
        )

    async def give_back(self, agent_name: str, holder: str, end: SlotEnd, *, accept_window: float, cause: Cause | None) -> None:
        await self._run(self._give_back, agent_name, holder, end.value, round(accept_window * 1000), cause or "")

    async def welcome(self, agent_name: str) -> None:
        await self._run(self._welcome, agent_name)

    async def counts(self) -> dict[str, tuple[int, int, int, bool]]:
        """Per agent name that this process has asked a slot for: slots in use, limit, waiting, breaker open."""
        names = sorted(self._agent_names)
        counts = await asyncio.gather(*(self._run(self._counts, name) for name in names))
        return {
            name: (held, limit, waiting, bool(breaker_open))
            for name, (held, limit, waiting, breaker_open) in zip(names, counts, strict=True)
        }

    async def _run(self, verb: Script, agent_name: str, *args: Argument) -> Reply:
        keys = self._keys
        return await verb.run(
            self._connection,
            (keys.held(agent_name), keys.queue(agent_name), keys.asked(agent_name), keys.pace(agent_name)),
            (
                self._limits.start,
                self._limits.floor,
                self._limits.ceiling,
                keys.slots_channel,
                agent_name,
                *args,
            ),
        )
