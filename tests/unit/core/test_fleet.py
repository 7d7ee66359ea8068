"""The fleet: what workers announce, which cause it names, which of several names it recommends."""

from dataclasses import replace

import pytest

from orchestrator.core.causes import Cause
from orchestrator.core.fleet import (
    NOTHING_KNOWN,
    Announcement,
    Choice,
    Fit,
    Fleet,
    NameState,
    Worker,
    cause_of_not_taken,
    fit,
    near_names,
    ranked,
    typo_of,
    typo_prefix,
    typo_warning,
)

MARY = Announcement("w1", "mary", load=0.25, active_jobs=2, capacity=8, region="eu", capabilities=("de", "fr"))


def fleet(*told: Announcement, gone: tuple[str, ...] = (), joined: tuple[str, ...] = ()) -> Fleet:
    names = {announcement.agent_name for announcement in told}
    return Fleet(
        at=100.0,
        live={name: tuple(Worker(t, 50.0, 99.0) for t in told if t.agent_name == name) for name in names},
        announced=dict.fromkeys((*names, *gone), 99.0),
        joined=dict.fromkeys(joined, 90.0),
    )


@pytest.mark.parametrize(
    ("announcement", "left"),
    [
        (MARY, 6),
        (replace(MARY, active_jobs=8), 0),
        (replace(MARY, active_jobs=9), 0),
        (replace(MARY, load=0.99), 6),
        (replace(MARY, load=1.0), 0),
        (replace(MARY, draining=True), 0),
        (replace(MARY, capacity=None), None),
        (replace(MARY, capacity=None, load=1.2), 0),
        (replace(MARY, capacity=0), 0),
    ],
)
def test_a_worker_has_room_below_its_capacity_and_its_own_threshold_unless_it_drains(
    announcement: Announcement, left: int | None
) -> None:
    assert announcement.room_left == left
    assert announcement.has_room is (left != 0)


@pytest.mark.parametrize(
    ("known", "state", "cause"),
    [
        (fleet(MARY), NameState.SERVING, Cause.NOT_TAKEN),
        (fleet(MARY, replace(MARY, worker_id="w2", load=1.0)), NameState.SERVING, Cause.NOT_TAKEN),
        (fleet(replace(MARY, load=1.0)), NameState.FULL, Cause.WORKER_FULL),
        (fleet(replace(MARY, draining=True)), NameState.DRAINING, Cause.WORKER_FULL),
        (fleet(replace(MARY, draining=True), replace(MARY, active_jobs=8)), NameState.FULL, Cause.WORKER_FULL),
        (fleet(gone=("mary",)), NameState.OFFLINE, Cause.NO_WORKER),
        (fleet(replace(MARY, agent_name="tom")), NameState.UNANNOUNCED, Cause.NOT_TAKEN),
        (fleet(joined=("mary",)), NameState.UNANNOUNCED, Cause.NOT_TAKEN),
        (NOTHING_KNOWN, NameState.UNANNOUNCED, Cause.NOT_TAKEN),
    ],
)
def test_only_of_a_name_that_was_announced_it_is_said_that_nobody_is_there_or_all_are_full(
    known: Fleet, state: NameState, cause: Cause
) -> None:
    assert known.state("mary") is state
    assert cause_of_not_taken(known, "mary") is cause


ASSISTANT = Announcement("w1", "voice-assistant")


def test_a_name_like_an_announced_one_is_taken_for_a_typing_error() -> None:
    known = fleet(ASSISTANT, replace(ASSISTANT, worker_id="w2"), MARY)
    assert typo_of(known, "voice-asistant", {"voice-asistant"}) == "voice-assistant"
    assert typo_warning(known, "voice-asistant", "voice-assistant") == (
        "No worker has announced itself as `voice-asistant`; it looks like a typo of `voice-assistant`, "
        "of which 2 workers are live."
    )


def test_the_warning_counts_one_worker_as_one_and_begins_as_it_is_recognized() -> None:
    warning = typo_warning(fleet(ASSISTANT), "voice-asistant", "voice-assistant")
    assert warning.endswith("of which 1 worker is live.")
    assert warning.startswith(typo_prefix("voice-asistant"))


@pytest.mark.parametrize(
    ("known", "name", "configured"),
    [
        (fleet(ASSISTANT), "mary", ["mary"]),
        (fleet(ASSISTANT), "voice-asistant", ["voice-asistant", "voice-assistant"]),
        (fleet(ASSISTANT, gone=("voice-asistant",)), "voice-asistant", ["voice-asistant"]),
        (fleet(ASSISTANT, joined=("voice-asistant",)), "voice-asistant", ["voice-asistant"]),
        (fleet(gone=("voice-assistant",)), "voice-asistant", ["voice-asistant"]),
        (NOTHING_KNOWN, "voice-asistant", ["voice-asistant"]),
    ],
)
def test_names_that_are_unlike_or_meant_or_known_or_gone_are_no_typing_errors(
    known: Fleet, name: str, configured: list[str]
) -> None:
    assert typo_of(known, name, configured) is None


def test_near_names_are_the_best_first_and_never_the_name_itself() -> None:
    assert near_names("marry", ["tom", "mary", "marry", "harry"])[0] in {"mary", "harry"}
    assert "marry" not in near_names("marry", ["marry", "mary"])


GERMAN = Choice(frozenset({"de"}), "eu")


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (fleet(MARY), Fit.FITS),
        (fleet(replace(MARY, region="us")), Fit.ELSEWHERE),
        (NOTHING_KNOWN, Fit.UNKNOWN),
        (fleet(replace(MARY, active_jobs=8)), Fit.FULL),
        (fleet(replace(MARY, draining=True)), Fit.FULL),
        (fleet(replace(MARY, capabilities=("fr",))), Fit.UNABLE),
        (fleet(gone=("mary",)), Fit.OFFLINE),
        (fleet(replace(MARY, region="us"), replace(MARY, worker_id="w2")), Fit.FITS),
        (fleet(replace(MARY, active_jobs=8), replace(MARY, worker_id="w2", region="us")), Fit.ELSEWHERE),
        (fleet(replace(MARY, capabilities=("fr",)), replace(MARY, worker_id="w2", active_jobs=8)), Fit.FULL),
    ],
)
def test_a_name_fits_as_well_as_the_best_of_its_workers(known: Fleet, expected: Fit) -> None:
    assert fit(known, "mary", GERMAN) is expected


def test_all_capabilities_must_be_those_of_one_worker() -> None:
    known = fleet(replace(MARY, capabilities=("de",)), replace(MARY, worker_id="w2", capabilities=("fr",)))
    assert fit(known, "mary", Choice(frozenset({"de", "fr"}))) is Fit.UNABLE


def test_who_fits_comes_first_and_of_those_who_fit_alike_who_is_written_first() -> None:
    known = fleet(MARY, replace(MARY, agent_name="ann"), replace(MARY, agent_name="tom", region="us"), gone=("eve",))
    assert ranked(known, ("eve", "stock", "tom", "ann", "mary"), GERMAN) == ("ann", "mary", "tom", "stock", "eve")


def test_with_nothing_announced_the_order_written_decides() -> None:
    assert ranked(NOTHING_KNOWN, ("tom", "ann", "mary"), GERMAN) == ("tom", "ann", "mary")


def test_without_conditions_room_alone_decides() -> None:
    known = fleet(replace(MARY, active_jobs=8), replace(MARY, agent_name="tom", region="us", capabilities=()))
    assert ranked(known, ("mary", "stock", "tom"), Choice()) == ("tom", "stock", "mary")
