"""The vigil: what one replica sees is told after its time, stands while anybody sees it, and ends by evidence."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pytest

from orchestrator.core.alerts import AlertType
from orchestrator.core.fleet import Announcement, Fleet, Worker
from orchestrator.runtime import vigil
from orchestrator.runtime.answering import Answering
from orchestrator.runtime.ports import LiveKitRejectedCredentials, LiveKitUnavailable
from orchestrator.runtime.standing import Standing
from orchestrator.runtime.vigil import Sight, Vigil
from tests.fakes.store import Line, MemoryAlerts, MemoryIncidents, Server


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class Replicas:
    """Several that share a store, each seeing what it is told to see."""

    def __init__(self, *names: str) -> None:
        self.clock = Hands()
        line = Line(Server(self.clock))
        self.alerts = MemoryAlerts(line)
        incidents = MemoryIncidents(line)
        standing = Standing(incidents, self.alerts, self.clock)
        self.seen: dict[str, bool | None] = dict.fromkeys(names)
        self.known = True
        self.vigils = {
            name: Vigil(name, standing, incidents, self.clock, lambda _: 30.0, partial(self._look, name)) for name in names
        }

    async def _look(self, name: str) -> Iterable[Sight]:
        if not self.known:
            return ()
        return [Sight(AlertType.SINK_DOWN, wrong=self.seen[name], summary="It.", sink="hook")]

    async def keep(self, seconds: float) -> None:
        until = self.clock.at + seconds
        while self.clock.at < until:
            for each in self.vigils.values():
                await each.keep()
            self.clock.at += vigil.PERIOD

    @property
    def told(self) -> list[str]:
        return [alert.status for alert in self.alerts.queued.values()]


async def test_it_is_told_after_its_time_once_and_its_end_when_it_is_seen() -> None:
    replicas = Replicas("a")
    replicas.seen["a"] = True
    await replicas.keep(30)
    assert replicas.told == []
    await replicas.keep(60)
    assert replicas.told == ["firing"]
    replicas.seen["a"] = None
    await replicas.keep(600)
    assert replicas.told == ["firing"]
    replicas.seen["a"] = False
    await replicas.keep(10)
    assert replicas.told == ["firing", "resolved"]
    (firing, resolved) = replicas.alerts.queued.values()
    assert (firing.type, firing.sink, resolved.sink) == ("sink_down", "hook", "hook")


async def test_what_comes_again_after_nobody_could_tell_has_its_time_anew() -> None:
    replicas = Replicas("a")
    replicas.seen["a"] = True
    await replicas.keep(20)
    replicas.seen["a"] = None
    await replicas.keep(600)
    replicas.seen["a"] = True
    await replicas.keep(20)
    assert replicas.told == []


async def test_who_sees_nothing_wrong_does_not_end_what_another_one_sees() -> None:
    replicas = Replicas("a", "b")
    replicas.seen |= {"a": True, "b": False}
    await replicas.keep(300)
    assert replicas.told == ["firing"]
    replicas.seen["a"] = False
    await replicas.keep(20)
    assert replicas.told == ["firing", "resolved"]


async def test_what_a_dead_replica_saw_ends_by_what_another_one_sees() -> None:
    replicas = Replicas("a", "b")
    replicas.seen |= {"a": True, "b": False}
    await replicas.keep(60)
    del replicas.vigils["a"]
    await replicas.keep(30)
    assert replicas.told == ["firing", "resolved"]


async def test_what_is_no_longer_configured_ends() -> None:
    replicas = Replicas("a")
    replicas.seen["a"] = True
    await replicas.keep(60)
    replicas.known = False
    await replicas.keep(120)
    assert replicas.told == ["firing", "resolved"]


def wrong(sights: Iterable[Sight]) -> dict[str, bool | None]:
    return {sight.kind: sight.wrong for sight in sights}


def test_livekit_is_unreachable_while_no_call_is_answered_and_a_refusal_is_an_answer() -> None:
    clock = Hands()
    answering = Answering(clock)
    assert wrong(vigil.livekit(answering, clock.now())) == {"livekit_unreachable": None}
    with pytest.raises(LiveKitUnavailable), answering.listening():
        raise LiveKitUnavailable("no answer")
    assert wrong(vigil.livekit(answering, clock.now())) == {"livekit_unreachable": True}
    with pytest.raises(LiveKitRejectedCredentials), answering.listening():
        raise LiveKitRejectedCredentials("no")
    assert wrong(vigil.livekit(answering, clock.now())) == {"livekit_unreachable": False}
    clock.at += 120
    assert wrong(vigil.livekit(answering, clock.now())) == {"livekit_unreachable": None}


def test_a_breaker_is_told_of_where_somebody_has_asked_for_a_slot() -> None:
    counts = {"mary": (1, 2, 7, True), "tom": (0, 4, 0, False)}
    seen = wrong(vigil.breakers(counts, ["mary", "tom", "eve"]))
    assert seen == {"breaker_open:mary": True, "breaker_open:tom": False, "breaker_open:eve": None}


def test_a_worker_is_missing_only_where_one_had_announced_itself() -> None:
    there = Worker(Announcement("w", "tom", load=0.0, active_jobs=0, capacity=None), since=0.0, seen_at=9.0)
    fleet = Fleet(10.0, live={"tom": (there,)}, announced={"mary": 1.0, "tom": 9.0})
    seen = wrong(vigil.workers(fleet, ["mary", "tom", "eve"]))
    assert seen == {
        "no_worker_announced:mary": True,
        "no_worker_announced:tom": False,
        "no_worker_announced:eve": None,
    }


def test_of_an_agent_that_is_no_longer_tried_nobody_waits_for_a_good_canary() -> None:
    assert wrong(vigil.canaries(["mary"])) == {"canary_failed:mary": None}
