"""`--slo`: its grammar, and its judgement."""

import pytest

from orchestrator.burst.objectives import Objective, judge, read_objectives
from orchestrator.burst.outcome import Outcome, RoomOutcome
from orchestrator.burst.plan import Way


def outcome(*rooms: RoomOutcome) -> Outcome:
    return Outcome(Way.ROLLCALL, rooms, looks=0)


def test_times_are_durations_and_counts_are_numbers_of_rooms() -> None:
    assert read_objectives("p99=5s, lost = 0,p50=500ms") == (
        Objective("p99", 5.0),
        Objective("lost", 0.0),
        Objective("p50", 0.5),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no objective"),
        ("p99", "is no objective"),
        ("p99=", "is no objective"),
        ("p99=5s,", "is no objective"),
        ("p77=5s", '"p77" is none of p50, p90, p95, p99, max, lost, doubled, left'),
        ("p99=soon", "is no duration"),
        ("lost=1.5", "1.5 is none"),
        ("lost=-1", "-1 is none"),
        ("lost=2s", "2s is none"),
        ("lost=0,lost=1", "lost is there twice"),
    ],
)
def test_what_is_no_objective_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read_objectives(text)

    assert why in str(refused.value)


def test_what_is_not_exceeded_is_held() -> None:
    found = outcome(RoomOutcome("a", 5.0), RoomOutcome("b", 1.0))

    assert [v.held for v in judge(read_objectives("max=5s,lost=0,doubled=0,left=0"), found)] == [True] * 4


def test_a_room_without_an_agent_breaks_every_percentile_that_it_is_in() -> None:
    found = outcome(RoomOutcome("a", 0.1), RoomOutcome("b", None), RoomOutcome("c", 0.2), RoomOutcome("d", 0.2))

    assert [v.held for v in judge(read_objectives("p50=1s,p90=200s,lost=1"), found)] == [
        True,
        False,
        True,
    ]


def test_second_agents_and_goodbyes_are_judged_too() -> None:
    found = outcome(RoomOutcome("a", 0.1, doubled=True), RoomOutcome("b", 0.1, left=True))

    assert [(v.value, v.held) for v in judge(read_objectives("doubled=0,left=1"), found)] == [(1.0, False), (1.0, True)]
