"""What the end of a room, and of its people's stay, says of an agent that had not come."""

import pytest

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from orchestrator.core.placement import PlacementState
from tests.unit.core.stories import START, accepted, agent_joined, opened, person_joined, person_left, play, requested, routed

FINISHED = f.RoomFinished(START + 5)
DESERTED = (person_joined(), person_left(), f.Waiting("mary", f.Awaited.PEOPLE))


@pytest.mark.parametrize("before", [(), (requested(),), (requested(), accepted())])
def test_a_room_that_ends_before_its_agent_came_is_the_cause(before: tuple[f.Fact, ...]) -> None:
    mary = play(opened(), routed("mary"), *before, FINISHED).placement("mary")
    assert mary.cause is Cause.ROOM_GONE
    assert [attempt.cause for attempt in mary.attempts] == [Cause.ROOM_GONE] * (len(before) > 0)


def test_routes_that_are_asked_after_the_end_make_no_difference() -> None:
    assert play(opened(), FINISHED, routed("mary")).placement("mary").cause is Cause.ROOM_GONE


def test_what_was_known_before_the_end_stays_known() -> None:
    story = opened(), routed("mary"), requested(), f.AttemptEnded("mary", 1, Cause.NOT_TAKEN), requested(2), FINISHED
    mary = play(*story).placement("mary")
    assert mary.cause is Cause.NOT_TAKEN
    assert [attempt.cause for attempt in mary.attempts] == [Cause.NOT_TAKEN, Cause.ROOM_GONE]


def test_an_agent_that_served_to_the_end_has_no_cause() -> None:
    mary = play(opened(), routed("mary"), requested(), agent_joined(), FINISHED).placement("mary")
    assert mary.cause is None
    assert [attempt.cause for attempt in mary.attempts] == [None]


def test_an_agent_of_which_only_a_late_webhook_tells_was_there_all_the_same() -> None:
    mary = play(opened(), routed("mary"), requested(), FINISHED, agent_joined()).placement("mary")
    assert mary.cause is None
    assert mary.verified_at is not None


def test_everybody_leaving_is_the_cause_until_somebody_comes_again() -> None:
    deserted = play(opened(), routed("mary"), *DESERTED)
    assert deserted.placement("mary").cause is Cause.ROOM_EMPTY
    assert play(FINISHED, session=deserted).placement("mary").cause is Cause.ROOM_EMPTY
    again = play(person_joined("PA_bob"), session=deserted).placement("mary")
    assert again.cause is None
    assert again.state is PlacementState.WAITING


def test_a_room_that_lives_on_is_no_cause_any_more() -> None:
    ended = play(opened(), routed("mary"), f.RoomFinished(START + 20, source=f.Source.LISTING), at=START + 30)
    assert ended.placement("mary").cause is Cause.ROOM_GONE
    assert play(person_joined(), session=ended, at=START + 40).placement("mary").cause is None
