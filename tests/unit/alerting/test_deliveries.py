"""Deliveries: every alert, to every sink, until it is accepted; in virtual time."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from orchestrator.alerting.deliveries import Deliveries, Failing
from orchestrator.alerting.ports import NotAccepted, Outcome
from orchestrator.core.causes import Cause
from orchestrator.core.silences import AlertMatch, Silence
from orchestrator.runtime.ports import Alert
from tests.unit.alerting.outbox import FIRING, RESOLVED, MemoryOutbox

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


class LoopClock:
    """The running loop's own time; under looptime it flies."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Middling:
    def fraction(self) -> float:
        return 0.5

    def attempt_id(self) -> str:
        return ""


class RecordingSink:
    """Remembers what it was sent and when; refuses as long as `refuse` says why."""

    def __init__(self, name: str = "hook") -> None:
        self.name = name
        self.sent: list[tuple[float, Alert]] = []
        self.refuse: Callable[[Alert], str | None] = lambda _: None
        self.takes = 0.0
        self.again: float | None = None

    async def send(self, alert: Alert) -> None:
        self.sent.append((round(asyncio.get_running_loop().time(), 3), alert))
        await asyncio.sleep(self.takes)
        if reason := self.refuse(alert):
            raise NotAccepted(reason)

    @property
    def alerts(self) -> list[Alert]:
        return [alert for _, alert in self.sent]


class Defective(RecordingSink):
    async def send(self, alert: Alert) -> None:
        raise ValueError("a defect")


class Post:
    """Deliveries of one test."""

    def __init__(self, *sinks: RecordingSink) -> None:
        self.outbox = MemoryOutbox(*(sink.name for sink in sinks))
        self.observed: list[tuple[str, Outcome]] = []
        self.silences: list[Silence] = []
        self.deliveries = Deliveries(
            self.outbox, self, sinks, LoopClock(), Middling(), lambda sink, outcome: self.observed.append((sink, outcome))
        )

    async def look(self, now: float) -> list[Silence]:
        return self.silences

    async def work(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.deliveries.run()


async def test_an_alert_is_sent_to_every_sink_and_then_forgotten() -> None:
    hook, pager = RecordingSink("hook"), RecordingSink("pager")
    post = Post(hook, pager)
    await post.outbox.queue(FIRING)
    with capture_logs() as logs:
        await post.work(600)
    assert (hook.alerts, pager.alerts, post.outbox.empty) == ([FIRING], [FIRING], True)
    assert post.observed == [("hook", Outcome.ACCEPTED), ("pager", Outcome.ACCEPTED)]
    about = {"type": "unverified", "status": "firing", "incident": "RM_1/mary/1", "tries": 1, "log_level": "info"}
    assert logs == [{"event": "alert_accepted", "sink": sink} | about for sink in ("hook", "pager")]


async def test_an_alert_that_is_queued_later_is_sent_within_a_second() -> None:
    hook = RecordingSink()
    post = Post(hook)
    await post.outbox.queue(FIRING, at=7.5)
    await post.work(20)
    assert [at for at, _ in hook.sent] == [8.0]


async def test_a_refused_alert_is_sent_again_ever_more_rarely_for_ever() -> None:
    hook = RecordingSink()
    hook.refuse = lambda _: "HTTP 500"
    post = Post(hook)
    await post.outbox.queue(FIRING)
    await post.work(400)
    times = [at for at, _ in hook.sent]
    pauses = [round(later - earlier, 2) for earlier, later in itertools.pairwise(times)]
    # Three quarters of 1, 2, 4 … 60 s, up to the next look into the outbox.
    assert pauses[:7] == [1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 45.0]
    assert set(pauses[7:]) == {45.0}
    assert not post.outbox.empty


async def test_a_refusal_is_visible_and_its_end_too() -> None:
    hook = RecordingSink()
    hook.refuse = lambda _: "HTTP 500" if len(hook.sent) < 3 else None
    post = Post(hook)
    await post.outbox.queue(FIRING)
    with capture_logs() as logs:
        await post.work(2.5)
        assert post.deliveries.failing == {"hook": Failing(since=0.0, reason="HTTP 500", last=1.0)}
        assert list(post.deliveries.warnings()) == ["The alert sink hook has accepted nothing for 2 s: HTTP 500."]
        await post.work(60)
    assert post.deliveries.failing == {}
    assert post.observed == [("hook", Outcome.REFUSED), ("hook", Outcome.REFUSED), ("hook", Outcome.ACCEPTED)]
    about = {"sink": "hook", "type": "unverified", "status": "firing", "incident": "RM_1/mary/1"}
    refused = about | {"event": "alert_not_accepted", "log_level": "warning", "reason": "HTTP 500"}
    assert logs == [
        refused | {"tries": 1, "again_in": 0.8},
        refused | {"tries": 2, "again_in": 1.5},
        about | {"event": "alert_accepted", "log_level": "info", "tries": 3},
    ]


async def test_a_slow_sink_holds_up_no_other() -> None:
    slow, quick = RecordingSink("slow"), RecordingSink("quick")
    slow.takes = 9.0
    post = Post(slow, quick)
    await post.outbox.queue(FIRING)
    await post.work(5)
    assert quick.alerts == [FIRING]


async def test_firing_is_told_before_resolved_when_both_are_due() -> None:
    hook = RecordingSink()
    post = Post(hook)
    await post.outbox.queue(RESOLVED, FIRING)
    await post.work(600)
    assert (hook.alerts, post.outbox.empty) == ([FIRING, RESOLVED], True)


async def test_resolved_waits_until_firing_was_accepted() -> None:
    hook = RecordingSink()
    hook.refuse = lambda alert: "HTTP 503" if len(hook.sent) < 5 else None
    post = Post(hook)
    await post.outbox.queue(FIRING)
    await post.work(4)
    await post.outbox.queue(RESOLVED)
    await post.work(600)
    assert hook.alerts == [FIRING] * 5 + [RESOLVED]
    assert post.outbox.empty


async def test_one_sinks_trouble_keeps_no_end_from_another() -> None:
    broken, sound = RecordingSink("broken"), RecordingSink("sound")
    broken.refuse = lambda _: "HTTP 500"
    post = Post(broken, sound)
    await post.outbox.queue(FIRING, RESOLVED)
    await post.work(600)
    assert sound.alerts == [FIRING, RESOLVED]
    assert set(broken.alerts) == {FIRING}


async def test_an_acceptance_that_could_not_be_stored_is_sent_again_when_the_lease_has_ended() -> None:
    hook = RecordingSink()
    post = Post(hook)
    post.outbox.deaf = True
    await post.outbox.queue(FIRING)
    await post.work(30)
    post.outbox.deaf = False
    await post.work(60)
    assert ([at for at, _ in hook.sent], post.outbox.empty) == ([0.0, 60.0], True)


async def test_without_the_store_it_waits_and_goes_on() -> None:
    hook = RecordingSink()
    post = Post(hook)
    await post.outbox.queue(FIRING)
    post.outbox.down = True
    await post.work(30)
    assert hook.sent == []
    post.outbox.down = False
    await post.work(5)
    assert hook.alerts == [FIRING]


async def test_a_defect_in_one_sink_keeps_no_alert_from_another_and_is_as_visible_as_a_refusal() -> None:
    defective, sound = Defective("defective"), RecordingSink("sound")
    post = Post(defective, sound)
    await post.outbox.queue(FIRING)
    with capture_logs() as logs:
        await post.work(30)
    assert sound.alerts == [FIRING]
    assert logs[0] == {
        "event": "delivery_failed",
        "log_level": "error",
        "sink": "defective",
        "incident": "RM_1/mary/1",
        "exc_info": True,
    }
    assert not post.outbox.empty
    assert post.deliveries.failing == {"defective": Failing(since=0.0, reason="a defect: ValueError", last=0.0)}
    assert post.observed == [("defective", Outcome.REFUSED), ("sound", Outcome.ACCEPTED)]


async def test_what_fires_is_sent_again_every_minute_to_a_sink_that_wants_that_and_its_end_twice() -> None:
    manager, hook = RecordingSink("manager"), RecordingSink("hook")
    manager.again = 60.0
    post = Post(manager, hook)
    await post.outbox.queue(FIRING)
    await post.work(150)
    await post.outbox.queue(RESOLVED)
    await post.work(600)
    assert [(at, alert.status) for at, alert in manager.sent] == [
        (0.0, "firing"),
        (60.0, "firing"),
        (120.0, "firing"),
        (150.0, "resolved"),
        (180.0, "resolved"),
    ]
    assert hook.alerts == [FIRING, RESOLVED]
    assert post.outbox.empty


async def test_an_end_stops_a_repetition_that_another_replica_has_under_way() -> None:
    manager = RecordingSink()
    manager.again, manager.takes = 60.0, 5.0
    post = Post(manager)
    await post.outbox.queue(FIRING)
    await post.work(67)
    await post.outbox.queue(RESOLVED)
    await post.work(600)
    assert [alert.status for alert in manager.alerts] == ["firing", "firing", "resolved", "resolved"]
    assert post.outbox.empty


async def test_a_sink_that_is_told_again_still_hears_of_no_end_before_it_has_accepted_the_beginning() -> None:
    manager = RecordingSink()
    manager.again = 60.0
    manager.refuse = lambda _: "HTTP 503" if len(manager.sent) < 4 else None
    post = Post(manager)
    await post.outbox.queue(FIRING, RESOLVED)
    await post.work(600)
    assert [alert.status for alert in manager.alerts] == ["firing"] * 4 + ["resolved"] * 2


async def test_a_sign_of_life_that_was_not_accepted_is_not_sent_late() -> None:
    hook = RecordingSink()
    hook.again = 60.0
    hook.refuse = lambda _: "HTTP 500"
    post = Post(hook)
    await post.outbox.queue(Alert("watchdog/1", "watchdog", "firing", "watchdog", 0.0))
    await post.work(600)
    assert (len(hook.sent), post.outbox.empty) == (1, True)


async def test_a_sink_to_which_nothing_was_sent_for_long_is_not_said_to_fail() -> None:
    hook = RecordingSink()
    hook.refuse = lambda _: "HTTP 500"
    post = Post(hook)
    await post.outbox.queue(Alert("watchdog/1", "watchdog", "firing", "watchdog", 0.0))
    await post.work(10)
    assert set(post.deliveries.failing) == {"hook"}
    await post.work(200)
    assert post.deliveries.failing == {}


# --- silences -----------------------------------------------------------------------------------------------------------

MARY = Silence("s1", AlertMatch(agent=("ma*",), cause=(Cause.NOT_TAKEN,)), 0.0, 300.0)


async def test_what_still_stands_when_its_silence_ends_is_told_then_to_every_sink() -> None:
    post = Post(one := RecordingSink("one"), other := RecordingSink("other"))
    post.silences = [MARY, replace(MARY, id="s2", ends_at=400.0)]
    await post.outbox.queue(FIRING)
    await post.work(600)
    assert one.sent == other.sent == [(400.0, FIRING)]
    assert post.outbox.empty


async def test_of_what_was_over_before_its_silence_nobody_hears() -> None:
    post = Post(hook := RecordingSink())
    post.silences = [MARY]
    await post.outbox.queue(FIRING)
    await post.work(100)
    await post.outbox.queue(RESOLVED)
    await post.work(600)
    assert (hook.sent, post.outbox.empty) == ([], True)


async def test_who_was_told_before_a_silence_is_told_again_and_hears_of_the_end_in_it() -> None:
    post = Post(manager := RecordingSink())
    manager.again = 60.0
    await post.outbox.queue(FIRING)
    await post.work(10)
    post.silences = [replace(MARY, ends_at=9_999.0)]
    await post.work(100)
    await post.outbox.queue(RESOLVED)
    await post.work(600)
    assert [alert.status for alert in manager.alerts] == ["firing", "firing", "resolved", "resolved"]


async def test_a_silence_that_is_ended_unseen_is_noticed_within_a_minute() -> None:
    post = Post(hook := RecordingSink())
    post.silences = [replace(MARY, ends_at=9_999.0)]
    await post.outbox.queue(FIRING)
    await post.work(10)
    post.silences = []
    await post.work(60)
    assert hook.alerts == [FIRING]


async def test_no_silence_keeps_a_sign_of_life() -> None:
    post = Post(hook := RecordingSink())
    post.silences = [replace(MARY, match=AlertMatch())]
    await post.outbox.queue(Alert("watchdog/1", "watchdog", "firing", "watchdog", 0.0))
    await post.work(5)
    assert len(hook.sent) == 1
