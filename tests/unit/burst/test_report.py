"""What people and programs read of a burst."""

from rich.console import Console

from orchestrator.burst.objectives import judge, read_objectives
from orchestrator.burst.outcome import Outcome, RoomOutcome
from orchestrator.burst.plan import Plan, Way
from orchestrator.burst.report import outcome_table, progress_line, report_json, title, troubles, verdict_line

PLAN = Plan("mary", rooms=4, rate=20.0, timeout=60.0)
ROOMS = [
    RoomOutcome("a", 0.25),
    RoomOutcome("b", 1.5, doubled=True),
    RoomOutcome("c", 0.5, left=True),
    RoomOutcome("d", None, refused="LiveKit cannot be reached."),
]
OUTCOME = Outcome(Way.ROLLCALL, ROOMS, looks=9)


def test_the_table_has_a_row_for_each_way() -> None:
    console = Console(width=200)
    with console.capture() as printed:
        console.print(outcome_table([OUTCOME]))

    assert [line.split() for line in printed.get().splitlines()] == [
        ["DISPATCH", "ROOMS", "AGENT", "LOST", "DOUBLED", "LEFT", "P50", "P90", "P95", "P99", "MAX"],
        ["rollcall", "4", "3", "1", "1", "1", "0.50", "never", "never", "never", "never"],
    ]


def test_the_table_fits_on_eighty_columns() -> None:
    console = Console(width=80)
    slow = Outcome(Way.ROLLCALL, [RoomOutcome(str(n), 99.99) for n in range(1000)], looks=0)
    with console.capture() as printed:
        console.print(outcome_table([slow]))

    assert printed.get().splitlines()[1].split() == ["rollcall", "1000", "1000", "0", "0", "0", *["99.99"] * 5]


def test_while_it_runs_a_room_without_an_agent_waits_and_is_not_lost() -> None:
    assert progress_line(OUTCOME, 4, PLAN) == (
        "rollcall: 4/4 asked for, 3 have their agent, 1 wait, 1 have two; p50 0.50 s, latest 1.50 s"
    )
    assert progress_line(Outcome(Way.PLAIN, [], looks=0), 0, PLAN).endswith("0 wait, 0 have two; p50 -, latest -")


def test_a_verdict_says_what_was_and_what_might_have_been() -> None:
    told = [verdict_line(verdict) for verdict in judge(read_objectives("p50=1s,p99=5s,lost=0"), OUTCOME)]

    assert told == [
        "slo p50: 0.50 s, at most 1.00 s: held",
        "slo p99: never, at most 5.00 s: broken",
        "slo lost: 1, at most 0: broken",
    ]


def test_rooms_that_could_not_be_asked_for_are_counted_with_the_reason() -> None:
    assert troubles(OUTCOME) == ["rollcall: 1 rooms could not be asked for: LiveKit cannot be reached."]


def test_people_who_could_not_enter_are_told() -> None:
    assert troubles(Outcome(Way.PLAIN, [], looks=0, people_missing=3)) == ["plain: 3 of the people could not enter their room."]


def test_looks_that_were_not_answered_are_told() -> None:
    (told,) = troubles(Outcome(Way.PLAIN, [], looks=9, failed_looks=2))

    assert told.startswith("plain: 2 of the looks were not answered")


def test_the_agent_without_a_name_is_spelled() -> None:
    assert title(Plan("", rooms=1, rate=1.0, timeout=1.0, people=True)) == "1 rooms at 1/s, agent (unnamed), a person in each"


def test_programs_get_null_for_never() -> None:
    told = report_json(PLAN, [OUTCOME], judge(read_objectives("p50=1s,max=1s"), OUTCOME), [])

    assert told["held"] is False
    assert told["slo"] == [
        {"name": "p50", "limit": 1.0, "value": 0.5, "held": True},
        {"name": "max", "limit": 1.0, "value": None, "held": False},
    ]
    assert told["runs"] == [
        {
            "dispatch": "rollcall",
            "rooms": 4,
            "with_agent": 3,
            "lost": 1,
            "doubled": 1,
            "left": 1,
            "refused": 1,
            "seconds": {"p50": 0.5, "p90": None, "p95": None, "p99": None, "max": None},
            "times": [0.25, 0.5, 1.5],
            "looks": 9,
            "failed_looks": 0,
            "people_missing": 0,
        }
    ]


def test_without_objectives_nothing_is_held_or_broken() -> None:
    assert report_json(PLAN, [OUTCOME], (), [])["held"] is None
