"""What the record keeps so that its trace can be told from it."""

from orchestrator.core import facts as f
from tests.unit.core.stories import START, accepted, agent_joined, opened, play, requested, routed

SERVED = (opened(), routed("mary"), requested(), accepted(), agent_joined())


def test_an_attempt_remembers_when_its_agent_answered_first() -> None:
    session = play(*SERVED, f.PulseAnswered("agent-AJ_1", 3.0), f.PulseAnswered("agent-AJ_1", 3.0))
    (attempt,) = session.placement("mary").attempts
    assert attempt.answered_at == START + 0.5


def test_also_of_an_agent_that_had_said_before_that_it_is_ready() -> None:
    session = play(*SERVED, f.AgentReady("PA_AJ_1"), f.PulseAnswered("agent-AJ_1", 3.0))
    (attempt,) = session.placement("mary").attempts
    assert attempt.answered_at == START + 0.6


def test_a_trace_is_joined_once_and_before_the_first_attempt() -> None:
    first, second = f.TraceJoined("first"), f.TraceJoined("second")
    assert play(opened(), first, second).traceparent == "first"
    assert play(*SERVED, first).traceparent == ""
