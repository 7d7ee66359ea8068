"""Waiting for an agent on behalf of a caller, in virtual time."""

import asyncio
from collections.abc import Callable

import pytest

from orchestrator.core.facts import Awaited, RoomFinished, Waiting
from orchestrator.core.session import Session
from orchestrator.web.holding import is_verified, until_verified
from tests.unit.core.stories import SID, accepted, agent_joined, opened, play, requested, routed

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

PLACED = (opened(), routed("mary"), requested(), accepted())
VERIFIED = (*PLACED, agent_joined())


class LoopClock:
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Unfolding:
    """A session that is another one as time goes by."""

    def __init__(self, at: Callable[[float], Session | None]) -> None:
        self._at = at
        self.reads = 0

    async def read(self, sid: str) -> Session | None:
        assert sid == SID
        self.reads += 1
        return self._at(asyncio.get_running_loop().time())


async def held(store: Unfolding, *agents: str, timeout: float = 10.0) -> tuple[Session | None, float]:
    begun = asyncio.get_running_loop().time()
    session = await until_verified(store, LoopClock(), SID, agents or None, timeout)
    return session, asyncio.get_running_loop().time() - begun


async def test_whoever_waits_is_answered_as_soon_as_the_agent_is_there() -> None:
    store = Unfolding(lambda now: play(*(VERIFIED if now >= 1.5 else PLACED)))
    session, took = await held(store)
    assert session is not None
    assert is_verified(session, None)
    assert took == pytest.approx(1.5, abs=0.2)


async def test_whoever_waits_is_answered_in_time_whether_the_agent_is_there_or_not() -> None:
    store = Unfolding(lambda _: play(*PLACED))
    session, took = await held(store, timeout=3.05)
    assert session is not None
    assert not is_verified(session, None)
    assert took == pytest.approx(3.05)


async def test_nobody_waits_for_an_agent_that_is_there_already() -> None:
    store = Unfolding(lambda _: play(*VERIFIED))
    _, took = await held(store, "mary")
    assert (took, store.reads) == (0.0, 1)


async def test_a_session_that_nobody_has_folded_yet_is_waited_for() -> None:
    store = Unfolding(lambda now: None if now < 0.4 else play(opened()) if now < 1 else play(*VERIFIED))
    session, took = await held(store)
    assert session is not None
    assert is_verified(session, None)
    assert took == pytest.approx(1, abs=0.2)


async def test_a_session_that_does_not_come_is_none() -> None:
    session, took = await held(Unfolding(lambda _: None), timeout=1.0)
    assert session is None
    assert took == pytest.approx(1)


async def test_every_agent_is_waited_for_unless_some_are_named() -> None:
    both = play(opened(), routed("mary", "tom"), requested(), accepted(), agent_joined())
    assert not is_verified(both, None)
    assert not is_verified(both, ["mary", "tom"])
    assert is_verified(both, ["mary"])
    assert not is_verified(both, ["mary", "ann"]), "ann is not even wanted yet"


async def test_nobody_waits_in_a_room_that_is_to_have_no_agent() -> None:
    session, took = await held(Unfolding(lambda _: play(opened(), routed())))
    assert session is not None
    assert not is_verified(session, None)
    assert took == 0.0


async def test_nobody_waits_for_a_room_that_has_ended() -> None:
    session, took = await held(Unfolding(lambda _: play(*VERIFIED, RoomFinished(created_at=1_060.0))))
    assert session is not None
    assert not is_verified(session, None)
    assert took == 0.0


async def test_nobody_waits_for_an_agent_that_waits_for_people() -> None:
    """Whoever waits for the answer may be the one whom the agent waits for."""
    waiting = play(opened(), routed("mary"), Waiting("mary", Awaited.PEOPLE))
    session, took = await held(Unfolding(lambda _: waiting))
    assert session is not None
    assert took == 0.0
