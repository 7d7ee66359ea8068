"""Observation: whole events in the log, and metrics that add up."""

from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from structlog.testing import capture_logs

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause, fix, sentence
from orchestrator.core.session import Session
from orchestrator.core.transitions import fold
from orchestrator.observability.metrics import Metrics
from orchestrator.observability.observation import Exemplar, Observation
from orchestrator.runtime.ports import Delivered
from tests.unit.core.stories import (
    START,
    accepted,
    agent_joined,
    agent_left,
    opened,
    person_joined,
    requested,
    routed,
)
from tests.unit.observability.test_metrics import samples


class Watched:
    """Sessions whose every fact is observed, a tenth of a second apart."""

    def __init__(self, exemplar: Exemplar = lambda _: None) -> None:
        self.metrics = Metrics(["mary", "tom"], "1")
        self._observation = Observation(self.metrics, exemplar)
        self._now = START
        self.session: Session | None = None

    def play(self, *facts: f.Fact) -> list[Any]:
        """What these facts write into the log."""
        with capture_logs() as logs:
            for fact in facts:
                before, self.session = self.session, fold(self.session, fact, self._now)
                self._observation.folded(before, self.session, Delivered(fact, self._now))
                self._now += 0.1
        return list(logs)

    def count(self, prefix: str) -> dict[str, float]:
        """The samples of these metrics that are not 0."""
        return {name: value for name, value in samples(self.metrics, prefix).items() if value}


@pytest.fixture
def watched() -> Watched:
    return Watched()


SESSION = {"room": "support-17", "sid": "RM_story"}
OURS = {**SESSION, "source": "rollcall"}
HEARD = {**SESSION, "source": "webhook"}


def test_a_session_that_is_verified_is_told_event_by_event(watched: Watched) -> None:
    story = (
        opened(),
        f.RoomStarted(created_at=START),
        routed("mary"),
        person_joined(),
        requested(),
        accepted(),
        agent_joined(at=START),
    )
    assert watched.play(*story) == [
        {"event": "room_started", "log_level": "info", **HEARD, "stored_at": 1000.1},
        {"event": "routed", "log_level": "info", **OURS, "detail": "routes[0]", "stored_at": 1000.2},
        {"event": "participant_joined", "log_level": "debug", **HEARD, "identity": "alice", "stored_at": 1000.3},
        {"event": "dispatch_requested", "log_level": "info", **OURS, "agent": "mary", "attempt": 1, "stored_at": 1000.4},
        {
            "event": "dispatch_accepted",
            "log_level": "info",
            **OURS,
            "agent": "mary",
            "attempt": 1,
            "dispatch_id": "AD_1",
            "stored_at": 1000.5,
        },
        {
            "event": "agent_joined",
            "log_level": "info",
            **HEARD,
            "agent": "mary",
            "identity": "agent-AJ_1",
            "stored_at": 1000.6,
        },
        {
            "event": "verified",
            "log_level": "info",
            **OURS,
            "agent": "mary",
            "attempt": 1,
            "identity": "agent-AJ_1",
            "time_to_agent_ms": 400,
            "stored_at": 1000.6,
        },
    ]
    assert watched.count("rollcall_sessions_opened_total") == {"rollcall_sessions_opened_total": 1.0}
    assert watched.count("rollcall_attempts_total") == {'rollcall_attempts_total{agent="mary",outcome="verified"}': 1.0}
    assert watched.count("rollcall_time_to_agent_seconds_sum") == {'rollcall_time_to_agent_seconds_sum{agent="mary"}': 0.4}


def test_an_unverified_placement_is_an_error_with_sentence_and_fix(watched: Watched) -> None:
    watched.play(opened(), routed("mary"), requested())
    logs = watched.play(f.AttemptEnded("mary", 1, Cause.NOT_TAKEN), f.GaveUp("mary", Cause.NOT_TAKEN))
    assert logs == [
        {
            "event": "attempt_ended",
            "log_level": "warning",
            **OURS,
            "agent": "mary",
            "attempt": 1,
            "cause": "not_taken",
            "stored_at": 1000.3,
        },
        {
            "event": "unverified",
            "log_level": "error",
            **OURS,
            "agent": "mary",
            "cause": "not_taken",
            "attempts_total": 1,
            "summary": sentence(Cause.NOT_TAKEN, "mary"),
            "fix": fix(Cause.NOT_TAKEN, "mary"),
            "stored_at": 1000.4,
        },
    ]
    assert watched.count("rollcall_unverified_total") == {'rollcall_unverified_total{agent="mary",cause="not_taken"}': 1.0}
    assert watched.count("rollcall_attempts_total") == {'rollcall_attempts_total{agent="mary",outcome="not_taken"}': 1.0}


def test_an_agent_that_turns_up_after_all_resolves(watched: Watched) -> None:
    watched.play(opened(), routed("mary"), requested(), f.GaveUp("mary", Cause.NOT_TAKEN))
    logs = watched.play(agent_joined())
    assert [entry["event"] for entry in logs] == ["agent_joined", "verified", "resolved"]
    assert logs[-1] == {
        "event": "resolved",
        "log_level": "info",
        **SESSION,
        "agent": "mary",
        "cause": "not_taken",
        "lasted_s": 0.1,
    }
    assert watched.play(f.PersonJoined("PA_2", "bob", START, people=2))[0]["event"] == "participant_joined"


def test_a_fact_that_changes_nothing_tells_nothing(watched: Watched) -> None:
    story = (opened(), routed("mary"), requested(), accepted(), agent_joined())
    watched.play(*story)
    counted = watched.count("rollcall_attempts") | watched.count("rollcall_time_to_agent_seconds_count")
    assert watched.play(*story) == []
    assert watched.count("rollcall_attempts") | watched.count("rollcall_time_to_agent_seconds_count") == counted


def test_a_lost_agent_is_counted_as_lost_and_its_attempt_stays_verified(watched: Watched) -> None:
    watched.play(opened(), routed("mary"), person_joined(), requested(), agent_joined())
    logs = watched.play(agent_left(at=START + 60))
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("agent_left", "info"), ("lost", "warning")]
    watched.play(requested(2), agent_joined("AJ_2", at=START + 61))
    assert watched.count("rollcall_agents_lost_total") == {'rollcall_agents_lost_total{agent="mary",cause="left"}': 1.0}
    assert watched.count("rollcall_attempts_total") == {'rollcall_attempts_total{agent="mary",outcome="verified"}': 2.0}
    assert watched.count("rollcall_time_to_agent_seconds_count") == {'rollcall_time_to_agent_seconds_count{agent="mary"}': 1.0}


def test_every_attempt_is_counted_once_under_the_agent_that_was_asked(watched: Watched) -> None:
    watched.play(
        opened(),
        routed("mary", fallback=["tom"]),
        requested(),
        f.AttemptEnded("mary", 1, Cause.NEVER_JOINED),
        f.FallbackChosen("mary", 1, Cause.NEVER_JOINED),
        requested(2, agent="tom"),
        f.RoomFinished(created_at=START),
        f.RoomFinished(created_at=START),
    )
    assert watched.count("rollcall_attempts_total") == {
        'rollcall_attempts_total{agent="mary",outcome="never_joined"}': 1.0,
        'rollcall_attempts_total{agent="tom",outcome="room_gone"}': 1.0,
    }


def test_an_attempt_that_another_overtook_is_superseded(watched: Watched) -> None:
    watched.play(
        opened(),
        routed("mary"),
        requested(),
        f.JobChanged("AD_1", "AJ_1", "mary", f.JobStatus.RUNNING, "agent-AJ_1"),
        accepted(),
        f.JobChanged("AD_1", "AJ_1", "mary", f.JobStatus.RUNNING, "agent-AJ_1"),
        f.AttemptEnded("mary", 1, Cause.NEVER_JOINED),
        requested(2),
        agent_joined("AJ_1"),
    )
    assert watched.count("rollcall_attempts_total") == {
        'rollcall_attempts_total{agent="mary",outcome="never_joined"}': 1.0,
        'rollcall_attempts_total{agent="mary",outcome="verified"}': 1.0,
        'rollcall_attempts_total{agent="mary",outcome="superseded"}': 1.0,
    }


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ((routed("mary"), requested(), agent_joined(), f.RoomFinished(START)), "verified"),
        ((routed("mary"), f.GaveUp("mary", Cause.LEFT), f.RoomFinished(START)), "unverified"),
        ((routed("mary"), f.RoomFinished(START), f.RoomFinished(START)), "abandoned"),
        ((routed(), f.RoomFinished(START)), "unrouted"),
        ((f.RoomFinished(START), routed()), "unrouted"),
        ((f.RoomFinished(START), routed("mary")), "abandoned"),
    ],
)
def test_every_session_that_was_opened_is_counted_once_when_it_ends(
    watched: Watched, facts: tuple[f.Fact, ...], outcome: str
) -> None:
    watched.play(opened(), *facts)
    assert watched.count("rollcall_sessions_opened_total") == {"rollcall_sessions_opened_total": 1.0}
    assert watched.count("rollcall_sessions_ended_total") == {f'rollcall_sessions_ended_total{{outcome="{outcome}"}}': 1.0}


def test_lag_is_what_is_certain_of_it(watched: Watched) -> None:
    watched.play(opened(), f.RoomStarted(created_at=START - 5.9), f.RoomStarted(created_at=START))
    assert watched.count("rollcall_webhook_lag_seconds_sum")["rollcall_webhook_lag_seconds_sum"] == pytest.approx(5.0)
    assert watched.count("rollcall_webhook_lag_seconds_count") == {"rollcall_webhook_lag_seconds_count": 2.0}


def test_a_session_that_lives_on_is_opened_again_so_that_the_sum_stays_right(watched: Watched) -> None:
    watched.play(opened(), routed("mary"), f.RoomFinished(START + 10, f.Source.LISTING), person_joined())
    assert watched.session is not None
    assert not watched.session.ended
    assert watched.count("rollcall_sessions_opened_total") == {"rollcall_sessions_opened_total": 2}
    assert sum(watched.count("rollcall_sessions_ended_total").values()) == 1


def test_what_a_listing_shows_is_no_late_webhook(watched: Watched) -> None:
    watched.play(opened(), routed("mary"), agent_joined(at=START - 600, source=f.Source.LISTING))
    assert watched.count("rollcall_webhook_lag_seconds_count") == {}


def test_facts_are_counted_by_kind(watched: Watched) -> None:
    watched.play(opened(), routed("mary"), routed("mary"))
    assert watched.count("rollcall_facts_total") == {
        'rollcall_facts_total{fact="RoomOpened"}': 1.0,
        'rollcall_facts_total{fact="Routed"}': 2.0,
    }


def test_metadata_is_never_told(watched: Watched) -> None:
    spec = f.PlacementSpec((f.CandidateSpec("mary", '{"persona":"hush-hush"}'),))
    begin = f.RoomOpened("support-17", "RM_story", START, metadata='{"kind":"hush-hush"}')
    assert "hush-hush" not in str(watched.play(begin, f.Routed((spec,), "routes[0]"), requested()))


def test_what_was_asked_for_is_counted_by_who_asked(watched: Watched) -> None:
    tom = f.PlacementSpec((f.CandidateSpec("tom"),))
    watched.play(opened(), routed("mary"), f.AgentWanted(tom, f.Source.TOKEN), f.AgentDismissed("tom", f.Source.OPERATOR))
    watched.play(f.AgentWanted(tom, f.Source.WORKER, instead_of="mary"))
    assert watched.count("rollcall_commands_total") == {
        'rollcall_commands_total{command="want",source="token"}': 1.0,
        'rollcall_commands_total{command="dismiss",source="operator"}': 1.0,
        'rollcall_commands_total{command="switch",source="worker"}': 1.0,
    }


def test_what_operators_do_is_counted_by_what_it_is(watched: Watched) -> None:
    watched.play(opened(), routed("mary"), requested(), f.GaveUp("mary", Cause.NOT_TAKEN))
    operator = f.Source.OPERATOR
    watched.play(f.IncidentTaken(None, operator), f.RoundWanted("mary", "w1", operator), f.SessionCancelled(operator))
    assert watched.count("rollcall_commands_total") == {
        'rollcall_commands_total{command="resolve",source="operator"}': 1.0,
        'rollcall_commands_total{command="redispatch",source="operator"}': 1.0,
        'rollcall_commands_total{command="cancel",source="operator"}': 1.0,
    }


def test_a_second_agent_that_is_taken_out_is_counted_once(watched: Watched) -> None:
    watched.play(opened(), routed("mary"), requested(), agent_joined(), agent_joined("AJ_2"))
    retired = f.AgentRetired("agent-AJ_2", "a second agent of ours")
    watched.play(retired, retired)
    assert watched.count("rollcall_duplicates_retired_total") == {'rollcall_duplicates_retired_total{agent="mary"}': 1.0}


def test_samples_of_sessions_name_their_trace_to_those_who_ask_in_openmetrics() -> None:
    watched = Watched(exemplar=lambda session: {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
    watched.play(
        opened(),
        routed("mary"),
        person_joined(),
        requested(),
        accepted(),
        agent_joined(at=START),
        f.PulseAnswered("agent-AJ_1", 3),
    )
    exposed: bytes = openmetrics(watched.metrics.registry)  # type: ignore[no-untyped-call]  # the library has no types here
    told = [line for line in exposed.decode().splitlines() if "4bf92f3577b34da6" in line]
    assert {line.partition("{")[0] for line in told} == {
        "rollcall_time_to_agent_seconds_bucket",
        "rollcall_pulse_round_trip_seconds_bucket",
        "rollcall_attempts_total",
        "rollcall_promises_total",
    }
    assert "4bf92f3577b34da6" not in generate_latest(watched.metrics.registry).decode()


def test_an_answer_is_counted_with_its_round_trip(watched: Watched) -> None:
    watched.play(opened(), routed("mary"), requested(), agent_joined(), f.PulseAnswered("agent-AJ_1", rtt_ms=250.0))
    assert watched.count("rollcall_pulse_round_trip_seconds_sum") == {
        'rollcall_pulse_round_trip_seconds_sum{agent="mary"}': 0.25
    }
