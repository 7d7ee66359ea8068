"""A burst on the sandbox, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from orchestrator.burst.asking import Asking, Plain
from orchestrator.burst.looking import PER_SECOND, RAREST, Looks
from orchestrator.burst.plan import Plan, Way
from orchestrator.burst.running import SETTLE, Burst, Parts, People
from orchestrator.client.errors import CommandFailed
from orchestrator.core.facts import CandidateSpec
from orchestrator.core.listing import ListedParticipant
from orchestrator.exits import ExitCode
from orchestrator.runtime.ports import LiveKitUnavailable
from orchestrator.sandbox.direct import DirectLiveKit
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.timing import Timing
from orchestrator.sandbox.workers import Behaviour
from tests.unit.sandbox.world import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

PLAN = Plan("mary", rooms=10, rate=20.0, timeout=10.0)


class Counted(DirectLiveKit):
    """The sandbox's API, which notes when it was asked who is in a room."""

    looks: list[float]

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]:
        self.looks.append(asyncio.get_running_loop().time())
        return await super().participants(room)


class Twice:
    """A way that sends two agents into each room."""

    def __init__(self, livekit: DirectLiveKit) -> None:
        self._livekit = livekit

    async def ask(self, room: str) -> float:
        made = await self._livekit.create_room(room, metadata="", agents=(CandidateSpec("mary"), CandidateSpec("mary")))
        return made.created_at


class Refusing:
    """A way by which only the first so many rooms can be asked for."""

    def __init__(self, livekit: DirectLiveKit, first: int) -> None:
        self._plain = Plain(livekit, "mary")
        self._left = first

    async def ask(self, room: str) -> float:
        self._left -= 1
        if self._left < 0:
            raise CommandFailed(ExitCode.UNHEALTHY, "It cannot do this now.")
        return await self._plain.ask(room)


class Unanswered:
    """A way that does what it is asked for, and says so of the first room only."""

    def __init__(self, livekit: DirectLiveKit) -> None:
        self._plain = Plain(livekit, "mary")
        self._first = True

    async def ask(self, room: str) -> float:
        created_at = await self._plain.ask(room)
        if not self._first:
            raise CommandFailed(ExitCode.UNHEALTHY, "No answer within 6 s.")
        self._first = False
        return created_at


class Trial:
    """A burst on a sandbox, and what it leaves behind."""

    def __init__(self, on: World, plan: Plan = PLAN, people: Callable[[], People] | None = None) -> None:
        self.world = on
        self.livekit = Counted(on.sandbox, on.clock)
        self.livekit.looks = []
        self.left_behind: set[str] = set()
        self._plan = plan
        self._people = people

    def burst(self, asking: Asking | None = None) -> Burst:
        parts = Parts(self._plan, self.livekit, self.world.clock, self._people, PER_SECOND, self.left_behind.update)
        return Burst(parts, Way.PLAIN, asking or Plain(self.livekit, self._plan.agent_name))

    async def rooms(self) -> Sequence[str]:
        return [room.name for room in await self.livekit.rooms() if room.name != "elsewhere"]


async def test_every_room_gets_its_agent_and_is_removed() -> None:
    async with world() as on:
        await on.worker("mary")
        trial = Trial(on)
        outcome = await trial.burst().run()

        assert (len(outcome.rooms), outcome.lost, outcome.doubled, outcome.left) == (10, 0, 0, 0)
        assert 0.2 < outcome.times[0] <= outcome.times[-1] < 0.35
        assert await trial.rooms() == []
        assert trial.left_behind == set()


async def test_a_time_is_livekit_s_and_not_that_of_a_look() -> None:
    async with world() as on:
        await on.worker("mary", behaviour=Behaviour(answer_after=1.234))
        outcome = await Trial(on, Plan("mary", rooms=1, rate=1.0, timeout=10.0)).burst().run()

        assert outcome.times[0] == pytest.approx(1.234 + 0.07, abs=0.03)


async def test_dispatches_that_are_lost_leave_rooms_lost() -> None:
    async with world(faults=Faults(drop_dispatch=0.5)) as on:
        await on.worker("mary")
        before = on.sandbox.tally.dispatches_lost
        trial = Trial(on)
        outcome = await trial.burst().run()

        assert 0 < outcome.lost < 10
        assert outcome.lost == on.sandbox.tally.dispatches_lost - before
        assert await trial.rooms() == []


async def test_an_agent_that_comes_after_the_timeout_has_not_come() -> None:
    async with world() as on:
        await on.worker("mary", behaviour=Behaviour(start_after=4.0))
        trial = Trial(on, Plan("mary", rooms=3, rate=20.0, timeout=2.0))
        outcome = await trial.burst().run()

        assert outcome.lost == 3
        assert await trial.rooms() == []


async def test_an_agent_of_another_name_is_not_the_one() -> None:
    async with world() as on:
        await on.worker("tom")
        trial = Trial(on, Plan("mary", rooms=1, rate=1.0, timeout=2.0))

        class Tom:
            async def ask(self, room: str) -> float:
                made = await trial.livekit.create_room(room, metadata="", agents=(CandidateSpec("tom"),))
                return made.created_at

        assert (await trial.burst(Tom()).run()).lost == 1


async def test_two_agents_at_once_are_seen() -> None:
    async with world(timing=Timing(twin_loss=0.0)) as on:
        await on.worker("mary")
        trial = Trial(on, Plan("mary", rooms=3, rate=20.0, timeout=10.0))
        outcome = await trial.burst(Twice(trial.livekit)).run()

        assert (outcome.lost, outcome.doubled) == (0, 3)


async def test_an_agent_that_goes_again_has_left() -> None:
    async with world() as on:
        await on.worker("mary", behaviour=Behaviour(leaves_after=2.0))
        outcome = await Trial(on, Plan("mary", rooms=2, rate=20.0, timeout=10.0)).burst().run()

        assert (outcome.lost, outcome.left) == (0, 2)


async def test_looking_is_bounded_and_becomes_rarer() -> None:
    async with world(faults=Faults(drop_dispatch=1.0)) as on:
        await on.worker("mary")
        trial = Trial(on, Plan("mary", rooms=10, rate=200.0, timeout=20.0))
        await trial.burst().run()

        looks = trial.livekit.looks
        assert min(b - a for a, b in pairwise(looks)) >= 0.9 / PER_SECOND
        begun = looks[0]
        assert sum(look < begun + 5 for look in looks) <= 10 * 14
        assert sum(look > begun + 15 for look in looks) <= 10 * (5 / RAREST + 2)


async def test_a_listing_that_fails_is_asked_for_again_and_says_nothing() -> None:
    async with world() as on:
        await on.worker("mary")
        trial = Trial(on, Plan("mary", rooms=2, rate=20.0, timeout=10.0))
        looks = Looks(trial.livekit, on.clock, "mary", timeout=10.0, per_second=PER_SECOND)
        looks.watch("a", asked_at=on.clock.monotonic(), created_at=on.clock.now())
        on.sandbox.faults = Faults(api_error=1.0)
        await looks.until(lambda: looks.failed == 1)
        on.sandbox.faults = Faults()
        await looks.until(lambda: looks.answered == 1)

        assert looks.rooms[0].outcome().seconds is None


async def test_a_failed_look_at_the_timeout_does_not_make_a_room_lost() -> None:
    async with world() as on:
        await on.worker("mary", behaviour=Behaviour(answer_after=1.0))
        livekit = DirectLiveKit(on.sandbox, on.clock)
        looks = Looks(livekit, on.clock, "mary", timeout=2.0, per_second=PER_SECOND)
        created_at = await Plain(livekit, "mary").ask("a")
        looks.watch("a", asked_at=on.clock.monotonic(), created_at=created_at)
        on.sandbox.faults = Faults(api_error=1.0)
        until = on.clock.monotonic() + 4.0
        await looks.until(lambda: on.clock.monotonic() > until)
        assert not looks.settled
        on.sandbox.faults = Faults()
        await looks.until(lambda: looks.settled)

        assert looks.rooms[0].outcome().seconds == pytest.approx(1.07, abs=0.05)


async def test_rooms_that_cannot_be_asked_for_are_lost_with_the_reason() -> None:
    async with world() as on:
        await on.worker("mary")
        trial = Trial(on)
        outcome = await trial.burst(Refusing(trial.livekit, 4)).run()

        assert (len(outcome.rooms), outcome.lost) == (10, 6)
        assert {room.refused for room in outcome.rooms} == {"", "It cannot do this now."}


async def test_a_room_that_was_made_though_nobody_said_so_is_not_left_to_an_agent_that_comes_late() -> None:
    async with world() as on:
        starts = iter((0.07,))
        await on.worker("mary", behaviour=Behaviour(start_after=lambda _job: next(starts, 9.5)))
        trial = Trial(on, Plan("mary", rooms=3, rate=20.0, timeout=10.0))
        outcome = await trial.burst(Unanswered(trial.livekit)).run()

        assert (outcome.lost, sum(bool(room.refused) for room in outcome.rooms)) == (2, 2)
        await on.clock.sleep(10)
        assert await trial.rooms() == []


async def test_when_not_even_the_first_room_can_be_asked_for_there_is_no_burst() -> None:
    async with world() as on:
        trial = Trial(on)
        with pytest.raises(CommandFailed, match="cannot do this now"):
            await trial.burst(Refusing(trial.livekit, 0)).run()

        assert await trial.rooms() == []


async def test_a_burst_that_is_cancelled_removes_its_rooms() -> None:
    async with world() as on:
        await on.worker("mary")
        trial = Trial(on)
        burst = trial.burst()
        running = asyncio.create_task(burst.run())  # noqa: TID251 - ended here
        await on.until(lambda: burst.asked == 5, "half of the rooms are asked for")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        assert await trial.rooms() == []
        assert trial.left_behind == set()


async def test_cancelled_twice_it_tells_which_rooms_may_be_left() -> None:
    async with world() as on:
        await on.worker("mary")
        trial = Trial(on)
        burst = trial.burst()
        running = asyncio.create_task(burst.run())  # noqa: TID251 - ended here
        await on.until(lambda: burst.asked == 5, "half of the rooms are asked for")
        for _ in range(2):
            running.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await running

        assert len(trial.left_behind) == 5


async def test_an_agent_on_its_way_that_opens_its_room_anew_does_not_keep_it() -> None:
    async with world() as on:
        await on.worker("mary", behaviour=Behaviour(start_after=3.0))
        trial = Trial(on, Plan("mary", rooms=2, rate=20.0, timeout=1.0))
        await trial.burst().run()
        await on.clock.sleep(10.0)

        assert await trial.rooms() == []


async def test_people_enter_each_room_and_leave_before_it_goes() -> None:
    class Crowd:
        missing = 0

        def __init__(self) -> None:
            self.inside: list[str] = []
            self.entered = 0

        async def enter(self, room: str) -> None:
            self.entered += 1
            self.inside.append(room)

        async def leave(self) -> None:
            assert len(await trial.rooms()) == 10
            self.inside.clear()

    crowd = Crowd()
    async with world() as on:
        await on.worker("mary")
        trial = Trial(on, people=lambda: crowd)
        begun = on.clock.monotonic()
        await trial.burst().run()

        assert (crowd.entered, crowd.inside) == (10, [])
        assert on.clock.monotonic() - begun > SETTLE


async def test_a_livekit_that_cannot_be_reached_at_the_end_is_told() -> None:
    async with world() as on:
        await on.worker("mary")
        trial = Trial(on, Plan("mary", rooms=2, rate=20.0, timeout=3.0))

        class Broken:
            async def ask(self, room: str) -> float:
                created_at = await Plain(trial.livekit, "mary").ask(room)
                on.sandbox.faults = Faults(api_error=1.0)
                return created_at

        outcome = await trial.burst(Broken()).run()

        assert outcome.lost == 2
        assert len(trial.left_behind) == 2
        with pytest.raises(LiveKitUnavailable):
            await trial.livekit.rooms()


async def test_somebody_who_cannot_leave_keeps_no_room() -> None:
    class Clinging:
        missing = 0

        async def enter(self, room: str) -> None:
            pass

        async def leave(self) -> None:
            raise RuntimeError("the client is stuck")

    async with world() as on:
        await on.worker("mary")
        trial = Trial(on, people=Clinging)
        with pytest.raises(RuntimeError, match="stuck"):
            await trial.burst().run()
        assert await trial.rooms() == []
        assert trial.left_behind == set()
