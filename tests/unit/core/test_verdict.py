"""verdict and next_step: what a person on call reads, as whole sentences."""

from dataclasses import replace

import pytest

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause, sentence
from orchestrator.core.durations import spoken
from orchestrator.core.outlook import next_step
from orchestrator.core.placement import PlacementState
from orchestrator.core.policy import Policy
from orchestrator.core.proof import Proof
from orchestrator.core.session import Session
from orchestrator.core.verdict import served_by, verdict
from tests.unit.core.stories import (
    START,
    accepted,
    agent_joined,
    agent_left,
    opened,
    person_joined,
    person_left,
    play,
    requested,
    routed,
)

NOW = START + 20.0


def told(session: Session, now: float = NOW) -> tuple[str, str | None]:
    return verdict(session, now), next_step(session, now)


def test_an_agent_that_came_is_told_with_the_time_since_the_start_and_its_attempt() -> None:
    session = play(opened(), routed("mary"), requested(), accepted(), agent_joined())
    assert told(session) == ("mary joined 0.30 s after the room started, on attempt 1.", None)


def test_an_agent_that_was_wanted_long_after_the_start_is_measured_from_when_it_was_wanted() -> None:
    session = play(opened(), routed("mary"), requested(), agent_joined(), at=START + 60)
    assert told(session) == ("mary joined 0.20 s after it was wanted, on attempt 1.", None)


def test_an_adopted_dispatch_is_told_as_somebody_elses() -> None:
    session = play(opened(), routed("mary"), f.DispatchAdopted("mary", "a", "AD_1"), agent_joined())
    assert verdict(session, NOW) == (
        "mary joined 0.20 s after the room started, on attempt 1, by a dispatch that Rollcall did not make."
    )


def test_a_room_whose_routes_were_not_asked_yet_says_so() -> None:
    assert told(play(opened())) == ("The room was just seen; its routes have not been asked yet.", None)


def test_a_room_that_no_route_wants_an_agent_in_says_so() -> None:
    assert told(play(opened(), routed())) == ("No route wants an agent in this room.", None)


def test_what_was_just_wanted_has_its_first_attempt_before_it() -> None:
    assert told(play(opened(), routed("mary")), START + 1.1) == (
        "mary is not there yet, 1.00 s after it was wanted.",
        "attempt 1",
    )


@pytest.mark.parametrize(
    ("waiting", "sentence_", "step"),
    [
        (
            f.Waiting("mary", f.Awaited.SLOT),
            "mary has waited 19.9 s for a slot: enough dispatches of it are under way.",
            "waits for a slot",
        ),
        (
            f.Waiting("mary", f.Awaited.BREAKER),
            "mary has waited 19.9 s: none came lately, so one dispatch at a time probes for it.",
            "waits until a probe for it brings an agent",
        ),
        (
            f.Waiting("mary", f.Awaited.PEOPLE),
            "mary is dispatched as soon as somebody is in the room.",
            "waits for people",
        ),
        (f.Waiting("mary", f.Awaited.LIVEKIT), "mary has waited 19.9 s for LiveKit to answer.", "waits for LiveKit"),
        (
            f.Waiting("mary", f.Awaited.BACKOFF, NOW + 2.1),
            "mary is not there yet, 19.9 s after it was wanted.",
            "attempt 1 in 2.10 s",
        ),
    ],
)
def test_waiting_is_told_as_what_it_is(waiting: f.Waiting, sentence_: str, step: str) -> None:
    assert told(play(opened(), routed("mary"), waiting)) == (sentence_, step)


def test_between_two_attempts_the_first_ones_cause_and_the_second_ones_time_are_told() -> None:
    session = play(
        opened(),
        routed("mary"),
        requested(),
        f.AttemptEnded("mary", 1, Cause.NEVER_JOINED),
        f.Waiting("mary", f.Awaited.BACKOFF, NOW + 0.5),
    )
    assert told(session) == (
        "mary is not there yet, 19.9 s after it was wanted. "
        "A worker took the job of mary, but its agent did not join the room in time.",
        "attempt 2 in 0.50 s",
    )


def test_an_attempt_under_way_is_told_with_its_number_its_limit_and_since_when() -> None:
    session = play(opened(), routed("mary"), requested(), at=NOW - 3.2)
    assert told(session) == (
        "mary is not there yet. Attempt 1 of 6 began 3.00 s ago.",
        "attempt 1 has 12.0 s left",
    )


def test_an_accepted_dispatch_is_told_as_progress() -> None:
    session = play(opened(), routed("mary"), requested(), accepted(), at=NOW - 3.2)
    assert verdict(session, NOW) == ("mary is not there yet. Attempt 1 of 6 began 3.00 s ago; LiveKit accepted the dispatch.")


def test_an_agent_that_joined_and_must_still_be_ready_is_told_so() -> None:
    policy = Policy(verify_at=Proof.READY)
    session = play(opened(), routed("mary", policy=policy), requested(), agent_joined(), at=NOW - 3.2)
    assert verdict(session, NOW) == (
        "mary is not there yet. Attempt 1 of 6 began 3.00 s ago; its agent is joined, and must be ready."
    )


def test_the_attempts_of_a_fallback_are_counted_as_its_own() -> None:
    session = play(
        opened(),
        routed("mary", fallback=["tom"]),
        requested(),
        f.AttemptEnded("mary", 1, Cause.NOT_TAKEN),
        f.FallbackChosen("mary", 1, Cause.NOT_TAKEN),
        requested(2, agent="tom"),
        at=NOW - 3.5,
    )
    assert verdict(session, NOW) == (
        "mary is not there yet. Attempt 2 (1 of 6 in this round) with the fallback tom began 3.00 s ago."
    )


def test_a_fallback_that_serves_is_told_in_the_place_of_who_was_wanted() -> None:
    session = play(
        opened(),
        routed("mary", fallback=["tom"]),
        f.FallbackChosen("mary", 1, Cause.NOT_TAKEN),
        requested(1, agent="tom"),
        agent_joined(name="tom"),
    )
    assert told(session) == ("tom, the fallback of mary, joined 0.30 s after the room started, on attempt 1.", None)
    assert served_by(session.placement("mary")) == "tom"


def test_the_agent_that_was_wanted_is_served_by_nobody_else() -> None:
    session = play(opened(), routed("mary"), requested(), agent_joined())
    assert served_by(session.placement("mary")) is None


NOT_TAKEN = sentence(Cause.NOT_TAKEN, "mary")


def unverified(policy: Policy | None = None, *more: f.Fact) -> Session:
    return play(
        opened(),
        routed("mary", policy=policy),
        person_joined(),
        requested(),
        f.AttemptEnded("mary", 1, Cause.NOT_TAKEN),
        f.GaveUp("mary", Cause.NOT_TAKEN),
        *more,
    )


def test_unverified_says_who_is_missing_why_what_was_tried_and_what_goes_on() -> None:
    assert told(unverified()) == (
        f"mary is missing. {NOT_TAKEN} 1 attempt was made; one attempt a minute goes on while people are in the room.",
        "one attempt a minute while people are in the room",
    )


def test_unverified_without_further_attempts_says_that_nothing_goes_on() -> None:
    assert told(unverified(Policy(keep_trying=0))) == (
        f"mary is missing. {NOT_TAKEN} 1 attempt was made; nothing more is tried by itself.",
        None,
    )


def test_unverified_with_another_period_says_which() -> None:
    assert next_step(unverified(Policy(keep_trying=30)), NOW) == "one attempt every 30.0 s while people are in the room"


def test_unverified_in_an_empty_room_says_that_nobody_is_there() -> None:
    assert told(unverified(None, person_left())) == (
        f"mary is missing. {NOT_TAKEN} 1 attempt was made; nobody is in the room any more, so none is made now.",
        "waits for people",
    )


def test_a_further_attempt_while_unverified_is_the_next_step() -> None:
    assert next_step(unverified(None, requested(2)), START + 3.6) == "attempt 2 has 12.0 s left"


def test_unverified_without_any_attempt_says_so() -> None:
    session = play(opened(), routed("mary"), f.GaveUp("mary", Cause.LIVEKIT_UNAVAILABLE))
    assert verdict(session, NOW) == (
        "mary is missing. LiveKit's API did not answer, or answered with an error of its own, when mary was "
        "dispatched. No attempt was made; one attempt a minute goes on while people are in the room."
    )


SERVED = (opened(), routed("mary"), person_joined(), requested(), agent_joined())


def test_a_lost_agent_is_told_with_when_and_what_is_done() -> None:
    session = play(*SERVED, agent_left(at=START + 60), at=NOW - 0.6)
    assert told(session) == (
        "mary was lost 0.10 s ago and is being replaced. The agent mary left the room.",
        "attempt 2",
    )


def test_the_attempt_to_replace_a_lost_agent_is_told() -> None:
    session = play(*SERVED, agent_left(at=START + 60), requested(2), at=NOW - 0.7)
    assert told(session) == (
        "mary was lost 0.20 s ago and is being replaced. The agent mary left the room. "
        "Attempt 2 (1 of 6 in this round) began 0.10 s ago.",
        "attempt 2 has 14.9 s left",
    )


def test_after_a_goodbye_the_grace_is_the_next_step() -> None:
    session = play(*SERVED, agent_left(at=START + 60, leave=f.LeaveReason.GOODBYE), at=NOW - 0.5)
    assert told(session) == (
        "mary said goodbye and left; it is replaced if people stay.",
        "a replacement in 15.0 s, if people stay",
    )


def test_a_loss_after_which_everybody_left_is_told_without_a_replacement() -> None:
    session = play(*SERVED, agent_left(at=START + 60), person_left())
    assert told(session) == ("mary left, and then everybody did.", "waits for people")


def test_a_replaced_agent_is_told_with_how_long_it_was_missed() -> None:
    session = play(*SERVED, agent_left(at=START + 60), requested(2), agent_joined("AJ_2", at=START + 61))
    assert told(session) == ("mary is there again, 0.20 s after it was lost, on attempt 2.", None)


def test_an_agent_that_is_done_is_not_told_as_missing() -> None:
    session = play(*SERVED, agent_left(at=START + 60, done=True))
    assert told(session) == ("mary was there and has left; it is not replaced.", None)


def test_a_cancelled_placement_is_told_so() -> None:
    session = play(opened(), routed("mary"))
    cancelled = replace(session.placement("mary"), state=PlacementState.CANCELLED)
    assert told(replace(session, placements=(cancelled,))) == ("mary is not wanted any more.", None)


def test_of_several_placements_the_worst_is_told_first() -> None:
    session = play(
        opened(),
        routed("mary", "tom"),
        requested(),
        agent_joined(),
        f.GaveUp("tom", Cause.NO_WORKER),
    )
    assert told(session) == (
        "tom is missing. No worker answers to the name tom: those that announced themselves under it are gone. "
        "No attempt was made; one attempt a minute goes on while people are in the room. "
        "mary joined 0.20 s after the room started, on attempt 1.",
        "tom: one attempt a minute while people are in the room",
    )


def test_an_unnamed_agent_has_a_word_that_stands_for_it() -> None:
    session = play(opened(), routed(""), requested(placement=""), agent_joined(name=""))
    assert verdict(session, NOW) == "(unnamed) joined 0.20 s after the room started, on attempt 1."


FINISHED = f.RoomFinished(created_at=START + 90)


def end(*before: f.Fact) -> tuple[str, str | None]:
    return told(play(FINISHED, session=play(*before), at=START + 182))


def test_the_end_of_a_verified_session_tells_when_the_agent_had_come() -> None:
    assert end(*SERVED) == (
        "The room ended after 3 min 2 s. mary joined 0.30 s after the room started, on attempt 1.",
        None,
    )


def test_the_end_of_an_unverified_session_tells_who_was_missing_and_why() -> None:
    assert end(opened(), routed("mary"), f.GaveUp("mary", Cause.NOT_TAKEN)) == (
        f"The room ended after 3 min 2 s. mary was missing: {NOT_TAKEN}",
        None,
    )


def test_the_end_before_an_attempt_had_a_result_claims_no_cause() -> None:
    assert end(opened(), routed("mary"), requested()) == (
        "The room ended after 3 min 2 s. mary was not there before its end.",
        None,
    )


def test_the_end_of_an_unrouted_room_is_told_so() -> None:
    assert end(opened(), routed()) == ("The room ended after 3 min 2 s; no route wanted an agent in it.", None)


def test_the_end_as_the_first_that_was_heard_is_told_so() -> None:
    assert end(opened()) == ("The room ended after 3 min 2 s, before its routes were asked.", None)


def test_an_agent_that_had_served_and_left_is_not_told_as_missing_at_the_end() -> None:
    assert end(*SERVED, agent_left(at=START + 60, done=True)) == (
        "The room ended after 3 min 2 s. mary had been there.",
        None,
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1.0, "0.00 s"),
        (0.312, "0.31 s"),
        (9.994, "9.99 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 0 s"),
        (182.0, "3 min 2 s"),
        (3599.7, "1 h 0 min"),
        (7500.0, "2 h 5 min"),
    ],
)
def test_durations_are_told_as_people_say_them(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


def test_an_observed_room_says_why_nothing_is_done_for_it() -> None:
    session = play(opened(), f.RoomListed(NOW, observed=True), routed("mary"))
    assert "before Rollcall watched it" in verdict(session, NOW)
    assert next_step(session, NOW) is None
