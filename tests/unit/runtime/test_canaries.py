"""Canaries in a sandbox, in virtual time: what they find out, whom they tell, and that they leave nothing behind."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from orchestrator import contract
from orchestrator.core.canary import By, Canary, Outcome, Subject, Tried
from orchestrator.core.causes import Cause
from orchestrator.core.facts import CandidateSpec
from orchestrator.core.fleet import NameState
from orchestrator.core.policy import Policy
from orchestrator.core.proof import Key
from orchestrator.core.templates import Template
from orchestrator.runtime.canaries import MOST, Canaries, CanaryParts
from orchestrator.runtime.canary_rounds import CanaryRounds
from orchestrator.runtime.ports import (
    CanaryCrowdedOut,
    CanaryCutOff,
    CanaryPaused,
    LiveKitError,
    LiveKitUnavailable,
    Pulse,
    PulseReply,
    RollcallError,
    SlotEnd,
    StoreUnavailable,
)
from orchestrator.runtime.standing import Standing
from orchestrator.runtime.sweeping import Sweeper
from orchestrator.runtime.trial import Trials
from orchestrator.sandbox.direct import DirectLiveKit
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.workers import Behaviour
from tests.fakes.store import (
    Line,
    MemoryAlerts,
    MemoryCanaries,
    MemoryIncidents,
    MemoryLeases,
    MemorySlots,
    Server,
)
from tests.unit.runtime.service import Unrandom
from tests.unit.sandbox.world import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

MINUTE = 60.0


class Ids(Unrandom):
    """Names that no other replica uses."""

    def __init__(self, replica: str) -> None:
        super().__init__()
        self._replica = replica

    def attempt_id(self) -> str:
        return f"{self._replica}-{super().attempt_id()}"


@dataclass
class Shared:
    """What all replicas of a test have in common."""

    on: World
    server: Server
    book: MemoryCanaries
    slots: MemorySlots
    alerts: MemoryAlerts
    paused: set[str] = field(default_factory=set)
    reachable: bool = True

    async def rooms(self) -> list[str]:
        return [r.name for r in await self.on.sandbox.list_rooms() if r.name.startswith(contract.SCRATCH_PREFIX)]

    async def told(self) -> list[tuple[str, str, str | None]]:
        return [(a.type, a.status, a.agent_name) for _, a in self.server.alerts.items()]


class Mortal(DirectLiveKit):
    """The API, which nobody calls any more who is gone."""

    gone = False
    dispatched = 0

    async def create_dispatch(self, room: str, agent: CandidateSpec, key: Key) -> str:
        self.dispatched += 1
        return await super().create_dispatch(room, agent, key)

    async def delete_room(self, room: str) -> None:
        if self.gone:
            raise LiveKitUnavailable("the process is gone")
        await super().delete_room(room)


class Replica:
    """The canaries of one replica."""

    def __init__(self, shared: Shared, name: str = "r1", *, after: int = 2, join_window: float = 15.0) -> None:
        on, line = shared.on, Line(shared.server)
        self.name = name
        self.shared = shared
        self.line = line
        self.livekit = Mortal(on.sandbox, on.clock)
        self.book = shared.book.beside(line)
        self.leases = MemoryLeases(line)
        self.results: list[tuple[str, Outcome]] = []
        self.seen: list[Tried | None] = []
        self.canaries = Canaries(
            CanaryParts(
                replica=name,
                livekit=self.livekit,
                trials=Trials(self.livekit, on.clock, lambda _: NameState.UNANNOUNCED, pulse_timeout=1.5, cloud=False),
                book=self.book,
                slots=shared.slots,
                standing=Standing(MemoryIncidents(line), shared.alerts, on.clock),
                paused=shared.paused.__contains__,
                subject_of=lambda agent: Subject(agent, Template({}), Policy(join_window=join_window)),
                clock=on.clock,
                randomness=Ids(name),
                tasks=on.tasks,
                after=after,
                on_result=self._note,
            )
        )
        self.sweeper = Sweeper(name, self.livekit, self.book, self.leases, on.clock)

    def _note(self, agent_name: str, outcome: Outcome, tried: Tried | None) -> None:
        self.results.append((agent_name, outcome))
        self.seen.append(tried)

    async def lives(self) -> None:
        """Its lease is kept, and it sweeps."""
        await self.leases.renew(self.name, 1e9)
        self.shared.on.tasks.spawn("sweeper", self.sweeper.run())

    async def dies(self) -> None:
        self.line.cut = self.livekit.gone = True
        await MemoryLeases(Line(self.shared.server)).drop(self.name)

    def rounds(self, *agents: str, every: float = 5 * MINUTE) -> None:
        shared = self.shared
        rounds = CanaryRounds(
            self.name,
            self.canaries,
            self.book,
            every=every,
            agents=agents,
            may=lambda name: shared.reachable and name not in shared.paused,
            clock=shared.on.clock,
            randomness=Ids(self.name),
        )
        rounds.start(shared.on.tasks)


@asynccontextmanager
async def shared(*, faults: Faults = Faults()) -> AsyncIterator[Shared]:
    async with world(faults=faults) as on:
        server = Server(on.clock)
        line = Line(server)
        yield Shared(on, server, MemoryCanaries(line), MemorySlots(line), MemoryAlerts(line, ["hook"]))


async def _caught(sending: Coroutine[Any, Any, Canary]) -> Canary | RollcallError:
    """For a task of its own, in which an error would be a defect."""
    try:
        return await sending
    except RollcallError as error:
        return error


async def test_a_good_one_says_how_long_it_took_and_leaves_no_room() -> None:
    async with shared() as all_of_it:
        await all_of_it.on.worker("mary")
        replica = Replica(all_of_it)
        canary = await replica.canaries.send("mary", By.OPERATOR)
        assert (canary.outcome, canary.cause, canary.fix, canary.by) == (Outcome.ANSWERING, None, None, By.OPERATOR)
        assert canary.joined is not None
        assert canary.answered is not None
        assert 0 < canary.joined <= canary.answered < 1
        assert await replica.canaries.last() == {"mary": canary}
        assert await all_of_it.rooms() == []
        assert replica.results == [("mary", Outcome.ANSWERING)]


@pytest.mark.parametrize(
    ("behaviour", "cause", "seconds"),
    [
        (None, Cause.NOT_TAKEN, 6),
        (Behaviour(refuses="terminate"), Cause.JOB_REJECTED, 6),
        (Behaviour(crashes="before_join"), Cause.NEVER_JOINED, 15),
        (Behaviour(crashes="after_join"), Cause.SILENT, 2),
    ],
)
async def test_a_bad_one_is_a_result_with_its_cause_as_soon_as_that_is_known(
    behaviour: Behaviour | None, cause: Cause, seconds: float
) -> None:
    async with shared() as all_of_it:
        if behaviour is not None:
            await all_of_it.on.worker("mary", behaviour=behaviour)
        began = all_of_it.on.clock.monotonic()
        canary = await Replica(all_of_it).canaries.send("mary", By.OPERATOR)
        assert (canary.outcome, canary.cause) == (Outcome.FAILED, cause)
        assert canary.fix is not None
        assert "mary" in canary.fix
        assert seconds - 0.5 <= all_of_it.on.clock.monotonic() - began <= seconds + 2
        assert await all_of_it.rooms() == []


# --- whom they tell ---------------------------------------------------------------------------------------------------


async def test_people_are_told_of_the_second_in_a_row_that_fails_once_and_of_the_first_good_one() -> None:
    async with shared() as all_of_it:
        canaries = Replica(all_of_it).canaries
        await canaries.send("mary", By.SCHEDULE)
        assert await all_of_it.told() == []
        for _ in range(3):
            await canaries.send("mary", By.SCHEDULE)
        assert await all_of_it.told() == [("canary_failed", "firing", "mary")]
        (_, fired), *_ = all_of_it.server.alerts.items()
        assert fired.summary.startswith("2 canaries of mary in a row have failed. It did not come within 6 s (not_taken).")
        assert fired.fix is not None
        await all_of_it.on.worker("mary")
        await canaries.send("mary", By.SCHEDULE)
        assert await all_of_it.told() == [("canary_failed", "firing", "mary"), ("canary_failed", "resolved", "mary")]


async def test_failures_in_a_row_count_over_all_replicas() -> None:
    async with shared() as all_of_it:
        await Replica(all_of_it, "r1").canaries.send("mary", By.SCHEDULE)
        await Replica(all_of_it, "r2").canaries.send("mary", By.SCHEDULE)
        assert await all_of_it.told() == [("canary_failed", "firing", "mary")]


async def test_one_by_hand_that_fails_wakes_nobody_and_one_that_is_well_ends_what_was_told() -> None:
    async with shared() as all_of_it:
        canaries = Replica(all_of_it, after=1).canaries
        await canaries.send("mary", By.OPERATOR)
        assert await all_of_it.told() == []
        await canaries.send("mary", By.SCHEDULE)
        await all_of_it.on.worker("mary")
        await canaries.send("mary", By.OPERATOR)
        assert [status for _, status, _ in await all_of_it.told()] == ["firing", "resolved"]


# --- what is not known ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [Faults(rejects_credentials=True), Faults(api_error=1.0)])
async def test_what_livekit_does_not_say_is_no_failure_of_the_agent(faults: Faults) -> None:
    async with shared() as all_of_it:
        replica = Replica(all_of_it, after=1)
        all_of_it.on.sandbox.faults = faults
        for _ in range(3):
            with pytest.raises(LiveKitError):
                await replica.canaries.send("mary", By.SCHEDULE)
        assert replica.results == [("mary", Outcome.UNKNOWN)] * 3
        assert await replica.canaries.last() == {}
        assert await all_of_it.told() == []


async def test_an_agent_of_which_livekit_cannot_say_whether_it_answers_has_not_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with shared() as all_of_it:
        await all_of_it.on.worker("mary")
        replica = Replica(all_of_it)
        for said in (Pulse.UNKNOWN, Pulse.NOT_THERE):  # the second although it is listed, as of a node that is gone

            async def say(_room: str, _identity: str, *, timeout: float, pulse: Pulse = said) -> PulseReply:  # the port's
                return PulseReply(pulse, timeout)

            monkeypatch.setattr(replica.livekit, "pulse", say)
            with pytest.raises(LiveKitError):
                await replica.canaries.send("mary", By.SCHEDULE)
        assert replica.results == [("mary", Outcome.UNKNOWN)] * 2


async def test_without_the_store_nothing_is_dispatched() -> None:
    async with shared() as all_of_it:
        await all_of_it.on.worker("mary")
        replica = Replica(all_of_it)
        all_of_it.server.down = True
        with pytest.raises(StoreUnavailable):
            await replica.canaries.send("mary", By.SCHEDULE)
        assert await all_of_it.rooms() == []


# --- slots and pauses -------------------------------------------------------------------------------------------------


async def test_it_goes_behind_all_callers_and_gives_up_when_they_leave_it_no_slot() -> None:
    async with shared() as all_of_it:
        slots, now = all_of_it.slots, all_of_it.on.clock.now()
        for n in range(4):
            await slots.take("mary", f"caller {n}", priority=0, since=now, hold=100)
        replica = Replica(all_of_it)
        with pytest.raises(CanaryCrowdedOut):
            await replica.canaries.send("mary", By.SCHEDULE)
        assert replica.results == []
        await slots.give_back("mary", "caller 0", SlotEnd.OTHER, accept_window=6, cause=None)
        assert (await replica.canaries.send("mary", By.SCHEDULE)).cause is Cause.NOT_TAKEN
        in_use, _, waiting, _ = (await slots.counts())["mary"]
        assert (in_use, waiting) == (3, 0)


async def test_however_many_are_asked_for_those_that_wait_are_bounded() -> None:
    async with shared() as all_of_it:
        replica = Replica(all_of_it)
        spawn, send = all_of_it.on.tasks.spawn, replica.canaries.send
        sent = [spawn(f"send {number}", _caught(send("mary", By.OPERATOR))) for number in range(MOST + 5)]
        done, _ = await asyncio.wait(sent, timeout=1)
        assert [str(task.result()) for task in done] == [f"{MOST} canaries are under way or wait"] * 5
        await replica.canaries.stop()
        await asyncio.wait(sent)
        assert await all_of_it.rooms() == []


async def test_while_an_operator_has_paused_the_agent_none_is_sent() -> None:
    async with shared() as all_of_it:
        all_of_it.paused.add("mary")
        replica = Replica(all_of_it)
        with pytest.raises(CanaryPaused):
            await replica.canaries.send("mary", By.OPERATOR)
        replica.rounds("mary")
        await all_of_it.on.clock.sleep(20 * MINUTE)
        assert replica.results == []
        all_of_it.paused.clear()
        await all_of_it.on.clock.sleep(7 * MINUTE)
        assert replica.results != []


# --- nothing is left behind -------------------------------------------------------------------------------------------


async def test_an_agent_that_comes_after_its_canary_was_given_up_is_not_left_in_its_room() -> None:
    async with shared() as all_of_it:
        await all_of_it.on.worker("mary", behaviour=Behaviour(start_after=40.0))
        replica = Replica(all_of_it)
        await replica.lives()
        canary = await replica.canaries.send("mary", By.SCHEDULE)
        assert canary.cause is Cause.NEVER_JOINED
        opened = await all_of_it.on.until(
            lambda: bool(all_of_it.on.sandbox.living_agents(canary.room, "mary")), "it comes late"
        )
        assert opened > 20
        await all_of_it.on.clock.sleep(11)
        assert await all_of_it.rooms() == []
        await all_of_it.on.clock.sleep(6 * MINUTE)
        assert await replica.book.rooms() == {}


async def test_the_room_of_a_replica_that_dies_in_the_middle_is_closed_by_another() -> None:
    async with shared() as all_of_it:
        await all_of_it.on.worker("mary", behaviour=Behaviour(crashes="after_join"))
        first, second = Replica(all_of_it, "r1"), Replica(all_of_it, "r2")
        await first.leases.renew("r1", 1e9)
        await second.lives()
        sending = all_of_it.on.tasks.spawn("sending", _caught(first.canaries.send("mary", By.SCHEDULE)))
        await all_of_it.on.until(lambda: bool(first.livekit.dispatched), "its agent is dispatched")
        await first.dies()
        assert isinstance(await sending, StoreUnavailable)
        assert len(await all_of_it.rooms()) == 1
        await all_of_it.on.clock.sleep(11)
        assert await all_of_it.rooms() == []


async def test_a_replica_that_stops_cuts_it_off_and_its_room_is_gone() -> None:
    async with shared() as all_of_it:
        replica = Replica(all_of_it)
        sending = all_of_it.on.tasks.spawn("sending", _caught(replica.canaries.send("mary", By.OPERATOR)))
        await all_of_it.on.clock.sleep(2)
        assert len(await all_of_it.rooms()) == 1
        await replica.canaries.stop()
        assert isinstance(await sending, CanaryCutOff)
        assert await all_of_it.rooms() == []
        assert replica.results == []


async def test_who_asked_for_it_may_go_and_it_goes_on() -> None:
    async with shared() as all_of_it:
        await all_of_it.on.worker("mary")
        replica = Replica(all_of_it)
        asking = all_of_it.on.tasks.spawn("sending", _caught(replica.canaries.send("mary", By.OPERATOR)))
        await all_of_it.on.clock.sleep(0.05)
        asking.cancel()
        await all_of_it.on.clock.sleep(2)
        assert replica.results == [("mary", Outcome.ANSWERING)]
        assert await all_of_it.rooms() == []


# --- when -------------------------------------------------------------------------------------------------------------


async def test_each_agent_has_its_own_time_and_of_two_replicas_one_sends() -> None:
    async with shared() as all_of_it:
        for name in ("mary", "tom"):
            await all_of_it.on.worker(name)
        replicas = [Replica(all_of_it, name) for name in ("r1", "r2")]
        for replica in replicas:
            replica.rounds("mary", "tom")
        began: dict[str, list[float]] = {"mary": [], "tom": []}
        newest: dict[str, Canary] = {}
        for _ in range(60 * 4):
            await all_of_it.on.clock.sleep(15)
            for name, canary in (await replicas[0].canaries.last()).items():
                if newest.get(name) != canary:
                    newest[name] = canary
                    began[name].append(canary.at)
        for times in began.values():
            assert 11 <= len(times) <= 15
            assert all(later - earlier >= 239 for earlier, later in itertools.pairwise(times))
        assert min(abs(m - t) for m in began["mary"] for t in began["tom"]) > 30


async def test_while_livekit_is_out_of_reach_turns_pass_and_nothing_is_said() -> None:
    async with shared() as all_of_it:
        all_of_it.reachable = False
        replica = Replica(all_of_it, after=1)
        replica.rounds("mary")
        await all_of_it.on.clock.sleep(30 * MINUTE)
        assert replica.results == []
        all_of_it.reachable = True
        await all_of_it.on.clock.sleep(7 * MINUTE)
        assert replica.results[0] == ("mary", Outcome.FAILED)


async def test_the_turn_of_a_replica_that_died_in_the_middle_of_it_is_the_next_one_s() -> None:
    async with shared() as all_of_it:
        await all_of_it.on.worker("mary")
        second = Replica(all_of_it, "r2")
        assert await second.book.turn("agent:mary", "r1", 240)
        second.rounds("mary")
        await all_of_it.on.clock.sleep(10 * MINUTE)
        assert second.results[0] == ("mary", Outcome.ANSWERING)


async def test_an_old_result_is_shown_no_more() -> None:
    async with shared() as all_of_it:
        replica = Replica(all_of_it)
        canary = await replica.canaries.send("mary", By.OPERATOR)
        await replica.book.note(replace(canary, at=canary.at - 8 * 86_400), counts=False)
        assert await replica.canaries.last() == {}
