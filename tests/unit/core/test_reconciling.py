"""What a listing of all rooms says about what we hold, and what it does not say."""

from dataclasses import replace

import pytest

from orchestrator.core import facts as f
from orchestrator.core.listing import ListedRoom
from orchestrator.core.placement import PlacementState
from orchestrator.core.reconciling import Held, Listening, abandoned, doubtful, urgency
from orchestrator.core.session import SessionState
from tests.unit.core.stories import START, accepted, agent_joined, opened, person_joined, play, requested, routed

NOW = 10_000.0
OLD = NOW - 1_000


def held(**changes: object) -> Held:
    session = Held("RM_1", SessionState.VERIFIED, "r1", people=1, opened_at=OLD, heard_at=OLD, touched_at=OLD)
    return replace(session, **changes)  # type: ignore[arg-type]


def listed(people: int = 1) -> dict[str, ListedRoom]:
    return {"RM_1": ListedRoom("RM_1", "support-17", OLD, "", people)}


def test_a_session_whose_room_is_not_listed_is_doubtful() -> None:
    assert doubtful(held(), {}, NOW)
    assert not doubtful(held(), listed(), NOW)


@pytest.mark.parametrize("changes", [{"heard_at": NOW - 1}, {"opened_at": NOW + 1, "heard_at": None}])
def test_what_was_heard_just_before_the_listing_or_after_it_is_not_doubted(changes: dict[str, float]) -> None:
    assert not doubtful(held(**changes), {}, NOW)


def test_a_room_with_other_people_than_we_count_is_looked_into_first_and_each_one_twice_a_minute() -> None:
    assert urgency(held(), listed(2)["RM_1"], looked_at=NOW - 1, now=NOW) == 0
    assert urgency(held(state=SessionState.OBSERVED, opened_at=NOW - 1, heard_at=None), listed()["RM_1"], 0.0, NOW) == 1
    assert urgency(held(), listed()["RM_1"], looked_at=0.0, now=NOW) == 2
    assert urgency(held(), listed()["RM_1"], looked_at=NOW - 29, now=NOW) is None
    assert urgency(held(heard_at=NOW - 1), listed()["RM_1"], looked_at=0.0, now=NOW) == 2
    assert urgency(held(opened_at=NOW - 1), listed()["RM_1"], looked_at=0.0, now=NOW) is None


def test_a_session_is_abandoned_when_its_owner_has_no_lease_and_nobody_has_touched_it_for_a_while() -> None:
    assert abandoned(held(), {"r2"}, NOW)
    assert not abandoned(held(), {"r1"}, NOW)
    assert not abandoned(held(touched_at=NOW - 1), {"r2"}, NOW)


def test_webhooks_are_silent_when_none_came_since_a_room_was_found() -> None:
    for last_heard in (None, OLD - 1):
        listening = Listening(NOW, last_heard, since=0.0)
        listening.add(held(heard_at=None), listed()["RM_1"])
        assert listening.result.silent
    listening = Listening(NOW, OLD + 1, since=0.0)
    listening.add(held(heard_at=None), listed()["RM_1"])
    assert not listening.result.silent
    assert listening.result.unheard == 1


def test_webhooks_are_silent_when_most_of_several_new_rooms_were_not_heard_of() -> None:
    listening = Listening(NOW, NOW, since=0.0)
    for _ in range(3):
        listening.add(held(heard_at=None, opened_at=NOW - 50), listed()["RM_1"])
    assert listening.result.silent
    for _ in range(4):
        listening.add(held(opened_at=NOW - 5, heard_at=NOW - 5), listed()["RM_1"])
    assert not listening.result.silent


def test_a_room_whose_first_webhook_may_still_come_and_one_that_lived_before_us_tell_nothing() -> None:
    listening = Listening(NOW, None, since=OLD)
    listening.add(held(heard_at=None, opened_at=NOW - 14), listed()["RM_1"])
    listening.add(held(heard_at=None), replace(listed()["RM_1"], created_at=OLD - 1))
    assert listening.result.unheard == 0
    assert not listening.result.silent


def test_an_end_that_only_a_listing_showed_is_undone_by_any_later_event() -> None:
    session = play(opened(), routed("mary"), person_joined(), requested(), accepted(), agent_joined())
    session = play(f.RoomFinished(NOW, f.Source.LISTING), session=session, at=NOW)
    assert session.ended
    session = play(person_joined("PA_bob", people=2), session=session, at=NOW + 5)
    assert not session.ended
    assert session.placement("mary").state is PlacementState.VERIFIED, "its agent never left"


def test_an_end_that_livekit_told_is_final_even_after_a_listing_showed_it() -> None:
    session = play(opened(), routed("mary"), f.RoomFinished(NOW, f.Source.LISTING), f.RoomFinished(NOW), at=NOW)
    assert play(person_joined(), session=session, at=NOW + 5).ended


def test_a_listing_ends_nothing_that_was_heard_of_since_it_was_requested() -> None:
    session = play(opened(), routed("mary"), person_joined(), at=NOW)
    assert not play(f.RoomFinished(NOW - 1, f.Source.LISTING), session=session, at=NOW + 9).ended


def test_a_listing_that_lacks_an_agent_says_nothing_of_one_that_joined_since() -> None:
    session = play(opened(), routed("mary"), requested(), agent_joined(), at=NOW)
    left = f.AgentLeft("PA_AJ_1", "agent-AJ_1", "mary", START, NOW - 1, "NOT_LISTED", f.LeaveReason.FAILURE)
    session = play(replace(left, source=f.Source.LISTING), session=session, at=NOW + 1)
    assert session.placement("mary").state is PlacementState.VERIFIED


def test_an_observed_session_wants_nothing_until_one_of_its_agents_serves() -> None:
    session = play(opened(), f.RoomListed(NOW, observed=True), routed("mary", "tom"))
    assert session.state is SessionState.OBSERVED
    assert not any(session.wants(p) for p in session.placements)
    session = play(agent_joined(), session=session, at=NOW)
    assert session.state is SessionState.DISPATCHING
    assert session.wants(session.placement("tom"))
    assert session.placement("tom").wanted_at == NOW


def test_a_room_of_which_a_webhook_came_is_never_observed() -> None:
    session = play(opened(), f.RoomStarted(START), f.RoomListed(NOW, observed=True), routed("mary"))
    assert session.state is SessionState.DISPATCHING


def test_an_observed_room_whose_start_is_heard_after_all_is_cared_for() -> None:
    session = play(opened(), f.RoomListed(NOW, observed=True), routed("mary"), f.RoomStarted(NOW), at=NOW)
    assert session.state is SessionState.DISPATCHING
    assert session.wants(session.placement("mary"))
