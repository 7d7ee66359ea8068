"""Calls per second, and who goes first: in virtual time, to the millisecond."""

import asyncio
from collections.abc import Sequence

import pytest

from orchestrator.core.facts import CandidateSpec
from orchestrator.core.listing import ListedDispatch, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key
from orchestrator.runtime.budget import RECOVERY, Allowance, Budget, Purpose
from orchestrator.runtime.ports import LiveKit, Pulse, PulseReply
from orchestrator.runtime.tasks import Tasks
from tests.unit.runtime.service import VirtualClock

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

KEY = Key("RM_1", "mary", 1, "a1")


class Callers:
    """Takes turns from an allowance of 10 calls per second, and keeps who got one when."""

    def __init__(self) -> None:
        self.tasks = Tasks(self._crashed)
        self.allowance = Allowance(10, VirtualClock(), self.tasks)
        self.served: list[tuple[str, float]] = []
        self._began = asyncio.get_running_loop().time()

    @property
    def now(self) -> float:
        return round(asyncio.get_running_loop().time() - self._began, 3)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.served]

    @property
    def times(self) -> list[float]:
        return [at for _, at in self.served]

    def call(self, purpose: Purpose, name: str = "", *, times: int = 1) -> list[asyncio.Task[None]]:
        return [self.tasks.spawn(name or purpose.name, self._take(purpose, name or purpose.name)) for _ in range(times)]

    async def use_up(self) -> None:
        """Spend the second's worth that an idle allowance has."""
        self.call(Purpose.DISPATCH, times=10)
        await self.all_served()
        self.served.clear()

    async def all_served(self) -> None:
        await self.tasks.drain(3600)

    async def _take(self, purpose: Purpose, name: str) -> None:
        await self.allowance.take(purpose)
        self.served.append((name, self.now))

    def _crashed(self, name: str, error: BaseException) -> None:
        raise AssertionError(name) from error


async def test_one_seconds_worth_goes_at_once_and_the_rest_at_the_rate() -> None:
    callers = Callers()
    callers.call(Purpose.LOOK, times=13)
    await callers.all_served()
    assert callers.times == pytest.approx([0.0] * 10 + [0.1, 0.2, 0.3])


async def test_what_is_not_spent_is_saved_for_one_second_only() -> None:
    callers = Callers()
    await callers.use_up()
    await asyncio.sleep(60)
    callers.call(Purpose.LOOK, times=12)
    await callers.all_served()
    assert callers.times == pytest.approx([60.0] * 10 + [60.1, 60.2])


async def test_waiting_calls_go_by_purpose_and_then_in_the_order_in_which_they_came() -> None:
    callers = Callers()
    await callers.use_up()
    for name, purpose in [
        ("pulse 1", Purpose.PULSE),
        ("reconcile", Purpose.RECONCILE),
        ("pulse 2", Purpose.PULSE),
        ("look 1", Purpose.LOOK),
        ("dispatch", Purpose.DISPATCH),
        ("look 2", Purpose.LOOK),
    ]:
        callers.call(purpose, name)
    await callers.all_served()
    assert callers.names == ["dispatch", "look 1", "look 2", "reconcile", "pulse 1", "pulse 2"]
    assert callers.times == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


async def test_a_canary_waits_for_everything_else() -> None:
    callers = Callers()
    await callers.use_up()
    for purpose in reversed(Purpose):
        callers.call(purpose)
    await callers.all_served()
    assert callers.names == ["DISPATCH", "LOOK", "RECONCILE", "PULSE", "CANARY"]


async def test_a_dispatch_that_comes_while_pulses_wait_gets_the_next_turn() -> None:
    callers = Callers()
    await callers.use_up()
    callers.call(Purpose.PULSE, times=5)
    await asyncio.sleep(0.25)
    callers.call(Purpose.DISPATCH)
    await callers.all_served()
    assert callers.names == ["PULSE", "PULSE", "DISPATCH", "PULSE", "PULSE", "PULSE"]


async def test_a_caller_that_is_cancelled_while_it_waits_takes_no_turn() -> None:
    callers = Callers()
    await callers.use_up()
    (leaves,) = callers.call(Purpose.DISPATCH, "leaves")
    callers.call(Purpose.DISPATCH, "stays")
    await asyncio.sleep(0)
    leaves.cancel()
    await callers.all_served()
    assert callers.names == ["stays"]
    assert callers.times == pytest.approx([0.1])


async def test_how_many_wait_is_known_by_purpose() -> None:
    callers = Callers()
    await callers.use_up()
    callers.call(Purpose.PULSE, times=3)
    callers.call(Purpose.LOOK)
    await asyncio.sleep(0)
    assert [callers.allowance.waiting(purpose) for purpose in Purpose] == [0, 1, 0, 3, 0]
    await callers.tasks.cancel()
    assert [callers.allowance.waiting(purpose) for purpose in Purpose] == [0, 0, 0, 0, 0]


async def test_after_a_429_the_background_gets_half() -> None:
    callers = Callers()
    callers.allowance.throttled()
    callers.call(Purpose.PULSE, times=8)
    await callers.all_served()
    assert callers.times == pytest.approx([0.0] * 5 + [0.2, 0.4, 0.6])


async def test_after_a_429_dispatches_and_looks_go_on_as_before() -> None:
    callers = Callers()
    callers.allowance.throttled()
    callers.call(Purpose.PULSE, times=20)
    callers.call(Purpose.LOOK, times=3)
    callers.call(Purpose.DISPATCH, times=2)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sorted(callers.names) == ["DISPATCH"] * 2 + ["LOOK"] * 3 + ["PULSE"] * 5
    await callers.tasks.cancel()


async def test_a_burst_of_429s_counts_once_and_a_later_one_halves_again() -> None:
    callers = Callers()
    for _ in range(20):
        callers.allowance.throttled()
    assert callers.allowance.background_rate == 5
    await asyncio.sleep(1)
    callers.allowance.throttled()
    assert callers.allowance.background_rate == 2.5


async def test_however_many_429s_come_the_background_never_stops() -> None:
    callers = Callers()
    for _ in range(50):
        callers.allowance.throttled()
        await asyncio.sleep(1)
    assert callers.allowance.background_rate == 10 / 32


async def test_without_further_429s_the_background_recovers_step_by_step() -> None:
    callers = Callers()
    callers.allowance.throttled()
    await asyncio.sleep(1)
    callers.allowance.throttled()
    await asyncio.sleep(RECOVERY)
    assert callers.allowance.background_rate == 5
    await asyncio.sleep(RECOVERY)
    assert callers.allowance.background_rate == 10


async def test_a_rate_that_is_changed_holds_for_those_that_wait_already() -> None:
    callers = Callers()
    await callers.use_up()
    callers.call(Purpose.LOOK, times=4)
    await asyncio.sleep(0.2)
    callers.allowance.change_rate(5)
    await callers.all_served()
    assert callers.times == pytest.approx([0.1, 0.2, 0.4, 0.6])


async def test_nobody_waits_at_a_small_rate_when_it_has_been_raised() -> None:
    callers = Callers()
    callers.allowance.change_rate(0.1)
    callers.call(Purpose.DISPATCH, times=2)
    await asyncio.sleep(1)
    callers.allowance.change_rate(10)
    await callers.all_served()
    assert callers.times[0] == 0
    assert callers.times[1] < 1.5


async def test_a_smaller_rate_leaves_no_more_saved_than_its_own_second() -> None:
    callers = Callers()
    callers.allowance.change_rate(2)
    callers.call(Purpose.DISPATCH, times=3)
    await callers.all_served()
    assert callers.times == pytest.approx([0, 0, 0.5])


async def test_the_background_follows_the_rate_and_stays_halved_after_a_429() -> None:
    callers = Callers()
    callers.allowance.throttled()
    callers.allowance.change_rate(4)
    assert callers.allowance.background_rate == 2
    callers.call(Purpose.PULSE, times=4)
    await callers.all_served()
    assert callers.times == pytest.approx([0, 0, 0.5, 1.0])


async def test_calls_count_as_taken_when_their_turn_has_come() -> None:
    callers = Callers()
    await callers.use_up()
    callers.call(Purpose.PULSE, times=3)
    await asyncio.sleep(0.15)
    assert (callers.allowance.taken, callers.allowance.waiting(Purpose.PULSE)) == (11, 2)
    await callers.tasks.cancel()


class Recorder:
    """A LiveKit that answers at once, and keeps what it was asked."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def room(self, name: str) -> ListedRoom | None:
        self.calls.append(f"room {name}")
        return None

    async def rooms(self) -> tuple[ListedRoom, ...]:
        self.calls.append("rooms")
        return ()

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]:
        self.calls.append(f"participants {room}")
        return ()

    async def dispatches(self, room: str) -> tuple[ListedDispatch, ...]:
        self.calls.append(f"dispatches {room}")
        return ()

    async def create_dispatch(self, room: str, agent: CandidateSpec, key: Key) -> str:
        self.calls.append(f"create {room} {agent.agent_name} {agent.metadata} {key.attempt}")
        return "AD_1"

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        self.calls.append(f"delete {room} {dispatch_id}")

    async def remove_participant(self, room: str, identity: str) -> None:
        self.calls.append(f"remove {room} {identity}")

    async def create_room(self, name: str, *, metadata: str, agents: Sequence[CandidateSpec]) -> ListedRoom:
        self.calls.append(f"create room {name} {metadata} {len(agents)}")
        return ListedRoom("RM_1", name, 0.0, metadata, 0)

    async def update_room_metadata(self, name: str, metadata: str) -> ListedRoom:
        self.calls.append(f"update room {name} {metadata}")
        return ListedRoom("RM_1", name, 0.0, metadata, 0)

    async def delete_room(self, room: str) -> None:
        self.calls.append(f"delete room {room}")

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        self.calls.append(f"pulse {room} {identity} {timeout}")
        return PulseReply(Pulse.ALIVE, 1.0)


async def ask_everything(livekit: LiveKit) -> None:
    """Start all calls at once, in the reverse of the order in which they matter."""
    await asyncio.gather(
        livekit.pulse("r", "agent", timeout=1.5),
        livekit.room("r"),
        livekit.participants("r"),
        livekit.dispatches("r"),
        livekit.create_dispatch("r", CandidateSpec("mary", "{}"), KEY),
        livekit.delete_dispatch("r", "AD_1"),
        livekit.remove_participant("r", "agent"),
        livekit.create_room("r", metadata="m", agents=()),
        livekit.update_room_metadata("r", "n"),
        livekit.delete_room("r"),
    )


CHANGES = ["create r mary {} 1", "delete r AD_1", "remove r agent", "create room r m 0", "update room r n", "delete room r"]
LISTINGS = ["room r", "participants r", "dispatches r"]
PULSE = ["pulse r agent 1.5"]


async def test_calls_that_change_something_go_first_then_listings_then_pulses() -> None:
    callers = Callers()
    recorder = Recorder()
    await callers.use_up()
    await ask_everything(Budget(recorder, callers.allowance))
    assert recorder.calls == CHANGES + LISTINGS + PULSE
    assert callers.now == pytest.approx(1.0)


async def test_the_reconcilers_listings_go_after_everybody_elses() -> None:
    callers = Callers()
    recorder = Recorder()
    await callers.use_up()
    looks = Budget(recorder, callers.allowance)
    reconciles = Budget(recorder, callers.allowance, listings=Purpose.RECONCILE)
    await asyncio.gather(looks.pulse("r", "agent", timeout=1.5), reconciles.room("all"), looks.room("r"))
    assert recorder.calls == ["room r", "room all", "pulse r agent 1.5"]


async def test_all_rooms_are_listed_after_every_look_and_before_pulses_whoever_asks() -> None:
    callers = Callers()
    recorder = Recorder()
    await callers.use_up()
    budget = Budget(recorder, callers.allowance)
    await asyncio.gather(budget.pulse("r", "agent", timeout=1.5), budget.rooms(), budget.room("r"))
    assert recorder.calls == ["room r", "rooms", "pulse r agent 1.5"]


async def test_answers_come_back_unchanged() -> None:
    callers = Callers()
    budget = Budget(Recorder(), callers.allowance)
    assert await budget.create_dispatch("r", CandidateSpec("mary", "{}"), KEY) == "AD_1"
    assert await budget.pulse("r", "agent", timeout=1.5) == PulseReply(Pulse.ALIVE, 1.0)


async def test_a_canary_s_calls_go_after_everybody_elses_but_for_what_it_clears_away() -> None:
    callers = Callers()
    recorder = Recorder()
    await callers.use_up()
    callers.call(Purpose.PULSE, times=2)
    spare = Budget(recorder, callers.allowance, listings=Purpose.CANARY, questions=Purpose.CANARY, making=Purpose.CANARY)
    making = callers.tasks.spawn("make", spare.create_room("r", metadata="m", agents=()))
    await spare.delete_room("another")
    assert (recorder.calls, callers.names) == (["delete room another"], [])
    await making
    assert (recorder.calls[1:], callers.names) == (["create room r m 0"], ["PULSE", "PULSE"])
