"""People: they open rooms, come, lose the connection and come again, go, and close rooms."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from orchestrator.sandbox.model import AgentRequest, ApiError
from tests.simulation.plan import Person, RoomPlan

if TYPE_CHECKING:
    from tests.simulation.world import World

_COMES_BACK: Final = (0.5, 3.0)
"""Seconds after which a person whose call broke joins again."""

_LOOKS: Final = 1.0
"""Seconds between two looks whether the call still goes on."""


class People:
    def __init__(self, world: "World", chance: random.Random) -> None:
        self._world = world
        self._chance = chance

    async def live(self, plan: RoomPlan) -> None:
        """All that happens to one room by people's hands."""
        world = self._world
        await world.until(plan.opens_at)
        if plan.created:
            agents = [AgentRequest(name) for name in plan.agents]
            self._do(plan.name, "create the room", lambda: world.sandbox.create_room(plan.name, agents=agents))
        for person in plan.people:
            world.spawn("person", self._person(plan.name, person))
        if plan.closes_at < world.plan.faulty_until:
            await world.until(plan.closes_at)
            self._do(plan.name, "delete the room", lambda: world.sandbox.delete_room(plan.name))

    async def _person(self, room: str, person: Person) -> None:
        await self._world.until(person.comes_at)
        while self._world.is_before(person.goes_at):
            if self._joins(room, person):
                await self._stays(room, person)
                return
            await self._world.clock.sleep(_LOOKS)

    def _joins(self, room: str, person: Person) -> bool:
        return self._do(room, f"{person.identity} joins", lambda: self._world.sandbox.join(room, person.identity))

    async def _stays(self, room: str, person: Person) -> None:
        """Until it is time to go, or the room is closed; who loses the connection comes again."""
        sandbox = self._world.sandbox
        boot, sid = sandbox._door.boot, sandbox.rooms[room].sid
        while self._world.is_before(person.goes_at):
            await self._world.clock.sleep(_LOOKS)
            if sandbox._door.boot != boot:
                await self._world.clock.sleep(self._chance.uniform(*_COMES_BACK))
                if self._joins(room, person):
                    boot, sid = sandbox._door.boot, sandbox.rooms[room].sid
            elif room not in sandbox.rooms or sandbox.rooms[room].sid != sid:
                return
        self._do(room, f"{person.identity} leaves", lambda: sandbox.leave(room, person.identity))

    def _do(self, room: str, what: str, act: Callable[[], object]) -> bool:
        """Whether LiveKit was there to do it."""
        try:
            act()
        except ApiError:
            return False
        self._world.trace.note("people", room, what)
        return True
