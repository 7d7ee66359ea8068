"""The promise: people in a room have their agent within five seconds, and each agent is judged once."""

from dataclasses import dataclass, field

import pytest

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from orchestrator.core.session import Session
from orchestrator.core.transitions import fold
from orchestrator.observability.metrics import Metrics
from orchestrator.observability.observation import Observation
from orchestrator.runtime.ports import Delivered
from tests.unit.core.stories import START, agent_joined, opened, person_joined, requested, routed
from tests.unit.observability.test_metrics import samples


@dataclass
class Judged:
    """A session whose facts come when the story says."""

    metrics: Metrics = field(default_factory=lambda: Metrics(["mary", "tom"], "1"))
    session: Session | None = None

    def play(self, at: float, *facts: f.Fact) -> tuple[float, float]:
        """How many of mary's promises were kept and broken by then; `at` seconds after the story began."""
        for fact in facts:
            before, self.session = self.session, fold(self.session, fact, START + at)
            Observation(self.metrics).folded(before, self.session, Delivered(fact, START + at))
        counted = samples(self.metrics, "rollcall_promises_total")
        return tuple(counted[f'rollcall_promises_total{{agent="mary",outcome="{o}"}}'] for o in ("in_time", "late"))  # type: ignore[return-value]


@pytest.fixture
def story() -> Judged:
    return Judged()


def test_what_has_not_happened_yet_is_counted_as_nothing_so_that_a_rate_sees_the_first(story: Judged) -> None:
    assert story.play(0) == (0, 0)


def test_an_agent_within_five_seconds_keeps_the_promise_once(story: Judged) -> None:
    assert story.play(0, opened(), routed("mary"), person_joined(), requested()) == (0, 0)
    assert story.play(4.9, agent_joined()) == (1, 0)
    assert story.play(60, agent_joined(), f.RoomFinished(START + 60)) == (1, 0)


def test_an_agent_after_five_seconds_breaks_it(story: Judged) -> None:
    story.play(0, opened(), routed("mary"), person_joined(), requested())
    assert story.play(5.1, agent_joined()) == (0, 1)


def test_nobody_has_to_wait_for_the_end_of_the_attempts_to_know_that_it_is_late(story: Judged) -> None:
    story.play(0, opened(), routed("mary"), person_joined(), requested())
    assert story.play(6, f.AttemptEnded("mary", 1, Cause.NOT_TAKEN)) == (0, 1)
    story.play(7, requested(2))
    assert story.play(9, agent_joined("AJ_2")) == (0, 1)
    assert story.play(90, f.GaveUp("mary", Cause.NOT_TAKEN)) == (0, 1)


def test_an_attempt_that_fails_soon_decides_nothing(story: Judged) -> None:
    story.play(0, opened(), routed("mary"), person_joined(), requested())
    assert story.play(1, f.AttemptEnded("mary", 1, Cause.JOB_REJECTED), requested(2)) == (0, 0)
    assert story.play(3, agent_joined("AJ_2")) == (1, 0)


def test_a_room_without_people_promises_nothing(story: Judged) -> None:
    story.play(0, opened(), routed("mary"), requested())
    assert story.play(20, f.AttemptEnded("mary", 1, Cause.NOT_TAKEN), f.GaveUp("mary", Cause.NOT_TAKEN)) == (0, 0)


def test_who_comes_later_than_the_agent_waits_for_nothing(story: Judged) -> None:
    story.play(0, opened(), routed("mary"), requested())
    assert story.play(30, agent_joined()) == (0, 0)
    assert story.play(60, person_joined()) == (1, 0)


def test_who_comes_while_the_agent_is_late_waits_from_then_on(story: Judged) -> None:
    story.play(0, opened(), routed("mary"), requested())
    assert story.play(30, person_joined()) == (0, 0)
    assert story.play(34, agent_joined()) == (1, 0)


def test_people_who_left_after_they_had_waited_too_long_count(story: Judged) -> None:
    story.play(0, opened(), routed("mary"), person_joined(), requested())
    assert story.play(5.5, f.RoomFinished(START + 5)) == (0, 1)


def test_people_who_did_not_wait_that_long_do_not(story: Judged) -> None:
    story.play(0, opened(), routed("mary"), person_joined(), requested())
    assert story.play(3, f.RoomFinished(START + 3)) == (0, 0)


def test_an_agent_that_leaves_within_seconds_is_judged_again_by_the_next_one(story: Judged) -> None:
    story.play(0, opened(), routed("mary"), person_joined(), requested())
    assert story.play(1, agent_joined(at=START + 1)) == (1, 0)
    left = f.AgentLeft("PA_AJ_1", "agent-AJ_1", "mary", START + 1, START + 3, "AGENT_ERROR", f.LeaveReason.FAILURE)
    assert story.play(3, left, requested(2)) == (1, 0)
    assert story.play(8, agent_joined("AJ_2", at=START + 8)) == (1, 1)


def test_each_agent_of_a_room_is_a_promise_of_its_own(story: Judged) -> None:
    story.play(0, opened(), routed("mary", "tom"), person_joined(), requested(), requested(placement="tom"))
    story.play(1, agent_joined())
    story.play(8, agent_joined("AJ_2", "tom"))
    counted = {name: n for name, n in samples(story.metrics, "rollcall_promises_total").items() if n}
    assert counted == {
        'rollcall_promises_total{agent="mary",outcome="in_time"}': 1.0,
        'rollcall_promises_total{agent="tom",outcome="late"}': 1.0,
    }
