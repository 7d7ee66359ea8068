"""Slots of the model, by the rules of orchestrator/store/scripts/slot*.lua. Times are in ms."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from orchestrator.core.causes import Cause
from orchestrator.runtime.ports import SlotEnd, SlotReply
from orchestrator.store.slots import SlotLimits
from tests.fakes.store.server import Lane, Line

V = TypeVar("V")

_PATIENCE = 5_000
_WINDOW = 60_000
_SEVERAL = 3
_MOST_PRIORITY = 1_000


class MemorySlots:
    def __init__(self, line: Line, limits: SlotLimits = SlotLimits()) -> None:  # noqa: B008 frozen
        self._run = line.run
        self._server = line.server
        self._limits = limits

    async def take(self, agent_name: str, holder: str, *, priority: int, since: float, hold: float) -> SlotReply:
        place = (-max(-_MOST_PRIORITY, min(_MOST_PRIORITY, priority)), float(round(since * 1000)))
        return await self._run(lambda: self._take(agent_name, holder, place, round(hold * 1000)))

    async def give_back(self, agent_name: str, holder: str, end: SlotEnd, *, accept_window: float, cause: Cause | None) -> None:
        await self._run(lambda: self._give_back(agent_name, holder, end, round(accept_window * 1000), cause or ""))

    async def welcome(self, agent_name: str) -> None:
        await self._run(lambda: self._welcome(agent_name))

    async def counts(self) -> dict[str, tuple[int, int, int, bool]]:
        return await self._run(
            lambda: {
                name: (len(lane.held), self._limit(lane), len(lane.queue), lane.breaker is not None)
                for name in sorted(self._server.lanes)
                for lane in [self._lane(name)]
            }
        )

    def _now(self) -> int:
        return int(self._server.now() * 1000)

    def _lane(self, agent_name: str) -> Lane:
        """Without those that died: their slots and places lapse."""
        lane, now = self._server.lanes.get(agent_name) or Lane(), self._now()
        asked = {holder: at for holder, at in lane.asked.items() if at > now - _PATIENCE}
        return replace(
            lane,
            held={holder: until for holder, until in lane.held.items() if until > now},
            asked=asked,
            queue={holder: place for holder, place in lane.queue.items() if holder in asked},
        )

    def _pace(self, lane: Lane) -> int:
        """The limit that burst and loss have led to, whatever the breaker says."""
        return lane.limit or self._limits.start

    def _limit(self, lane: Lane) -> int:
        return 1 if lane.breaker is not None else self._pace(lane)

    def _take(self, agent_name: str, holder: str, place: tuple[int, float], hold: int) -> SlotReply:
        lane, now = self._lane(agent_name), self._now()
        queue = {**lane.queue, holder: place}
        ahead = sum((*other, name) < (*place, holder) for name, other in queue.items())
        granted = holder in lane.held or ahead < self._limit(lane) - len(lane.held)
        if granted:
            lane = replace(lane, held={**lane.held, holder: now + hold}, queue=_without(queue, holder))
            lane = replace(lane, asked=_without(lane.asked, holder))
        else:
            lane = replace(lane, queue=queue, asked={**lane.asked, holder: now})
        self._server.lanes.put(agent_name, lane)
        cause = Cause(lane.breaker) if lane.breaker else None
        return SlotReply(granted, self._limit(lane), 0 if granted else ahead, lane.breaker is not None, cause)

    def _give_back(self, agent_name: str, holder: str, end: SlotEnd, accept_window: int, cause: str) -> None:
        lane = self._lane(agent_name)
        held, waited = holder in lane.held, holder in lane.queue
        lane = replace(
            lane,
            held=_without(lane.held, holder),
            queue=_without(lane.queue, holder),
            asked=_without(lane.asked, holder),
        )
        if held and end is SlotEnd.JOINED:
            limit = min(self._pace(lane) + 1, self._limits.ceiling)
            lane = replace(lane, joined_at=self._now(), limit=limit, losses=0, breaker=None)
        elif held and end is SlotEnd.LOST:
            lane = self._lost(lane, accept_window, cause)
        self._server.lanes.put(agent_name, lane)
        if held or waited:
            self._server.freed(agent_name)

    def _welcome(self, agent_name: str) -> None:
        lane = self._lane(agent_name)
        self._server.lanes.put(agent_name, replace(lane, losses=0, breaker=None))
        if lane.losses or lane.breaker is not None:
            self._server.freed(agent_name)

    def _lost(self, lane: Lane, accept_window: int, cause: str) -> Lane:
        now = self._now()
        lane = replace(lane, losses=lane.losses + 1)
        if now - lane.joined_at < _WINDOW:
            if now - lane.halved_at >= accept_window:
                lane = replace(lane, halved_at=now, limit=max(self._pace(lane) // 2, self._limits.floor))
        elif lane.losses >= _SEVERAL or lane.breaker is not None:
            lane = replace(lane, breaker=cause)
        return lane


def _without(mapping: Mapping[str, V], key: str) -> dict[str, V]:
    return {k: v for k, v in mapping.items() if k != key}
