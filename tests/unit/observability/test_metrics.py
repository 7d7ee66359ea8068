"""Metrics: named as the convention says, and bounded whatever comes."""

import re

from prometheus_client import generate_latest

from orchestrator.core import canary
from orchestrator.core import facts as f
from orchestrator.core.canary import Outcome
from orchestrator.core.causes import Cause
from orchestrator.core.session import Session
from orchestrator.observability.driven import DrivenSessions
from orchestrator.observability.metrics import Metrics
from tests.unit.core.stories import agent_joined, opened, play, requested, routed


def samples(metrics: Metrics, prefix: str) -> dict[str, float]:
    """`name{labels}` and value of the samples that begin so."""
    lines = generate_latest(metrics.registry).decode().splitlines()
    return {
        name: float(value)
        for line in lines
        if line.startswith(prefix) and "_created" not in line
        for name, _, value in [line.rpartition(" ")]
    }


def test_every_name_says_what_and_in_which_unit() -> None:
    metrics = Metrics(["mary"], "1.2.3")
    families = [family.name for family in metrics.registry.collect() if not family.name.startswith("process_")]
    assert families
    assert all(re.fullmatch(r"rollcall(_[a-z]+)+", name) for name in families)


def test_no_label_is_named_after_a_room() -> None:
    exposed = generate_latest(Metrics(["mary"], "1").registry).decode()
    assert "room=" not in exposed
    assert "sid=" not in exposed


def test_the_build_is_told() -> None:
    (name,) = samples(Metrics([], "1.2.3"), "rollcall_build_info")
    assert 'version="1.2.3"' in name


def test_an_agent_that_is_not_configured_is_one_of_the_others() -> None:
    metrics = Metrics(["mary", ""], "1")
    assert [metrics.agent(name) for name in ("mary", "", "stranger", "other")] == ["mary", "(unnamed)", "other", "other"]


def test_slots_are_shown_as_they_were_counted_last() -> None:
    metrics = Metrics(["mary", "tom"], "1")
    metrics.set_slots({"tom": (1, 4, 0, False)})
    metrics.set_slots({"mary": (3, 4, 7, True), "stranger": (1, 4, 0, False), "another": (2, 4, 1, False)})
    assert samples(metrics, "rollcall_dispatch") == {
        'rollcall_dispatches_in_flight{agent="mary"}': 3.0,
        'rollcall_dispatches_in_flight{agent="other"}': 3.0,
        'rollcall_dispatch_slots{agent="mary"}': 4.0,
        'rollcall_dispatch_slots{agent="other"}': 8.0,
        'rollcall_dispatches_waiting{agent="mary"}': 7.0,
        'rollcall_dispatches_waiting{agent="other"}': 1.0,
        'rollcall_dispatch_breaker_open{agent="mary"}': 1.0,
        'rollcall_dispatch_breaker_open{agent="other"}': 0.0,
    }


def test_waiting_and_silenced_alerts_are_shown_by_sink() -> None:
    metrics = Metrics([], "1")
    metrics.set_alerts(pending={"hook": 2}, silenced={"hook": 0})
    metrics.set_alerts(pending={"hook": 0}, silenced={"hook": 1})
    assert samples(metrics, "rollcall_alerts_pending") == {'rollcall_alerts_pending{sink="hook"}': 0.0}
    assert samples(metrics, "rollcall_alerts_silenced") == {'rollcall_alerts_silenced{sink="hook"}': 1.0}


def test_the_sessions_that_are_driven_are_counted_when_they_are_asked_for() -> None:
    metrics = Metrics(["mary"], "1")
    driven: list[Session] = []
    metrics.registry.register(DrivenSessions(lambda: driven, metrics.agent))
    verified = play(opened(), routed("mary"), requested(), agent_joined())
    ended = play(f.RoomFinished(created_at=1.0), session=verified)
    unverified = play(opened(), routed("mary"), f.GaveUp("mary", Cause.NOT_TAKEN))
    scratch = play(opened(room="rollcall-scratch-1"), routed())
    driven += [verified, ended, unverified, play(opened(), routed()), play(opened()), scratch]
    assert samples(metrics, "rollcall_sessions{") == {
        'rollcall_sessions{state="dispatching"}': 1.0,
        'rollcall_sessions{state="verified"}': 1.0,
        'rollcall_sessions{state="unverified"}': 1.0,
        'rollcall_sessions{state="unrouted"}': 1.0,
        'rollcall_sessions{state="observed"}': 0.0,
    }
    assert samples(metrics, "rollcall_unverified_placements") == {'rollcall_unverified_placements{agent="mary"}': 1.0}
    driven.clear()
    assert samples(metrics, "rollcall_unverified_placements") == {}
    assert set(samples(metrics, "rollcall_sessions{").values()) == {0.0}


def test_canaries_are_counted_from_the_beginning_on_and_only_good_ones_have_a_time() -> None:
    metrics = Metrics(["mary"], "1")
    metrics.expect_canaries(["mary"])
    metrics.count_canary("mary", Outcome.ANSWERING, canary.answering(0.27, 0.3, 3.0))
    metrics.count_canary("mary", Outcome.ANSWERING, canary.cannot_be_asked(0.2))
    metrics.count_canary("mary", Outcome.FAILED, canary.silent(0.27))
    metrics.count_canary("stranger", Outcome.UNKNOWN, None)
    assert samples(metrics, "rollcall_canaries_total") == {
        'rollcall_canaries_total{agent="mary",outcome="answering"}': 2.0,
        'rollcall_canaries_total{agent="mary",outcome="failed"}': 1.0,
        'rollcall_canaries_total{agent="mary",outcome="unknown"}': 0.0,
        'rollcall_canaries_total{agent="other",outcome="unknown"}': 1.0,
    }
    assert samples(metrics, "rollcall_canary_seconds_sum") == {'rollcall_canary_seconds_sum{agent="mary"}': 0.5}
