"""Traces: one per session, from its record, whoever tells it."""

import pytest

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause, sentence
from orchestrator.core.policy import Policy
from orchestrator.core.scratch import SCRATCH_ROUTE, name_of
from orchestrator.core.session import Session
from orchestrator.core.transitions import fold
from orchestrator.observability.spans import SpanContext, trace_id_of
from orchestrator.observability.traces import Traces
from orchestrator.runtime.ports import Delivered
from tests.fakes.spans import KeptSpans
from tests.unit.core.stories import (
    SID,
    START,
    accepted,
    agent_joined,
    agent_left,
    job,
    opened,
    person_joined,
    requested,
    routed,
)

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
DISTRUSTED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"

SERVED: tuple[f.Fact, ...] = (
    opened(),
    f.RoomStarted(created_at=START),
    routed("mary"),
    person_joined(),
    requested(),
    accepted(),
    job(),
    agent_joined(),
    f.PulseAnswered("agent-AJ_1", rtt_ms=3.0),
    f.RoomFinished(created_at=START + 60),
)


class Still:
    def now(self) -> float:
        return START

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        return None


class Replica:
    """What folds facts, a tenth of a second apart, and tells."""

    def __init__(self, session: Session | None = None, *, sampling: bool = True) -> None:
        self.sink = KeptSpans(sampling=sampling)
        self.traces = Traces(self.sink, Still(), lambda bits: 2**bits - 1)
        self.session = session
        self._now = START if session is None else session.updated_at + 0.1

    def play(self, *facts: f.Fact) -> "Replica":
        for fact in facts:
            before, self.session = self.session, fold(self.session, fact, self._now)
            self.traces.folded(before, self.session, Delivered(fact, self._now))
            self._now += 0.1
        return self


def test_a_session_is_told_step_by_step_as_each_is_finished() -> None:
    replica = Replica().play(*SERVED)
    names = ["dispatch", "job", "joined", "attempt mary", "first_pulse", "serving", "session"]
    assert replica.sink.names == names
    root = replica.sink.named("session")
    assert root.parent is None
    assert (root.begun_at, round(root.ended_at - START, 1)) == (START, 0.9)
    attempt = replica.sink.named("attempt mary")
    assert attempt.parent == root.context
    assert [round(at - START, 1) for at in (attempt.begun_at, attempt.ended_at)] == [0.4, 0.7]
    for name in ("dispatch", "job", "joined", "first_pulse", "serving"):
        assert replica.sink.named(name).parent == attempt.context
    assert {span.context.trace_id for span in replica.sink.spans} == {trace_id_of(SID)}
    assert len({span.context.span_id for span in replica.sink.spans}) == len(names)


def test_a_span_tells_room_and_sid_and_nothing_of_metadata() -> None:
    metadata = '{"hunter2": "hunter2"}'
    placed = f.Routed((f.PlacementSpec((f.CandidateSpec("mary", metadata),), Policy()),), "routes[0]")
    opening = f.RoomOpened("support-17", SID, START, metadata)
    replica = Replica().play(opening, placed, requested(), accepted(), agent_joined(), f.RoomFinished(created_at=START))
    assert "hunter2" not in repr(replica.sink.spans)
    assert all(span.attributes["rollcall.room"] == "support-17" for span in replica.sink.spans)
    assert all(span.attributes["rollcall.sid"] == SID for span in replica.sink.spans)


@pytest.mark.parametrize("wanted", [True, False])
def test_of_a_scratch_room_there_is_a_trace_only_where_an_agent_was_wanted_in_it_as_for_a_burst(*, wanted: bool) -> None:
    rest = (requested(), accepted(), agent_joined()) if wanted else (agent_joined(),)
    routes = routed("mary") if wanted else f.Routed((), SCRATCH_ROUTE)
    replica = Replica().play(opened(name_of("1")), routes, *rest, f.RoomFinished(created_at=START))
    assert bool(replica.sink.spans) is wanted


def test_what_was_told_to_the_worker_is_the_span_of_its_attempt() -> None:
    replica = Replica().play(*SERVED[:4])
    assert replica.session is not None
    told = replica.traces.traceparent(replica.session, "mary", 1)
    replica.play(*SERVED[4:])
    assert SpanContext.read(told) == replica.sink.named("attempt mary").context


def test_a_job_that_is_listed_after_its_agent_came_is_no_step_of_its_own() -> None:
    replica = Replica().play(*SERVED[:6], agent_joined(), job())
    assert replica.sink.names == ["dispatch", "joined", "attempt mary"]


def test_a_failed_attempt_says_why_and_the_next_one_is_another_span() -> None:
    lost = f.AttemptEnded("mary", 1, Cause.NOT_TAKEN)
    replica = Replica().play(*SERVED[:6], lost, requested(2), accepted(2), agent_joined("AJ_2"))
    first, second = [span for span in replica.sink.spans if span.name == "attempt mary"]
    assert first.error == sentence(Cause.NOT_TAKEN, "mary")
    assert first.attributes["rollcall.cause"] == "not_taken"
    assert second.error is None
    assert first.context.span_id != second.context.span_id


def test_a_room_that_never_got_its_agent_says_when_people_were_told() -> None:
    gone = (f.AttemptEnded("mary", 1, Cause.NOT_TAKEN), f.GaveUp("mary", Cause.NOT_TAKEN), f.RoomFinished(created_at=START))
    root = Replica().play(*SERVED[:6], *gone).sink.named("session")
    assert root.error == "a room without its agent"
    (moment,) = root.moments
    assert moment.name == "unverified"
    assert moment.told == {"rollcall.agent": "mary", "rollcall.cause": "not_taken"}


def test_an_agent_that_was_lost_says_so_where_it_served() -> None:
    replica = Replica().play(*SERVED[:9], agent_left())
    assert replica.sink.named("serving").error == sentence(Cause.LEFT, "mary")
    assert replica.sink.named("attempt mary").error is None


def test_a_successor_goes_on_in_the_same_trace_and_tells_again_what_may_be_lost() -> None:
    first = Replica().play(*SERVED[:8])
    second = Replica(first.session).play(*SERVED[8:])
    whole = Replica().play(*SERVED)
    assert all(span in second.sink.spans for span in first.sink.spans)
    assert {span.context for span in second.sink.spans} == {span.context for span in whole.sink.spans}


def test_folding_a_fact_again_tells_nothing_again() -> None:
    replica = Replica().play(*SERVED)
    told = len(replica.sink.spans)
    replica.play(*SERVED[4:9])
    assert len(replica.sink.spans) == told


def test_an_end_that_only_a_listing_showed_is_followed_by_the_real_one() -> None:
    listed = f.RoomFinished(created_at=START + 60, source=f.Source.LISTING)
    replica = Replica().play(*SERVED[:9])
    replica._now += 60
    replica.play(listed, person_joined("PA_bob", 2), f.RoomFinished(created_at=START + 90))
    first, last = [span for span in replica.sink.spans if span.name == "session"]
    assert first.context == last.context
    assert first.ended_at < last.ended_at


def test_a_session_stands_in_the_trace_of_the_caller_whose_token_made_its_room() -> None:
    replica = Replica()
    with replica.traces.token(CALLER) as minted:
        minted.is_for("support-17", SID)
    replica.play(SERVED[0], f.TraceJoined(minted.traceparent), *SERVED[1:])
    token, root = replica.sink.named("token"), replica.sink.named("session")
    assert token.parent == SpanContext.read(CALLER)
    assert root.parent == token.context
    assert len({span.context.trace_id for span in replica.sink.spans}) == 1
    assert token.attributes == {"rollcall.room": "support-17", "rollcall.sid": SID}


def test_a_token_whose_caller_has_no_trace_begins_one() -> None:
    replica = Replica()
    with replica.traces.token("00-nonsense") as minted:
        pass
    assert replica.sink.named("token").parent is None
    assert SpanContext.read(minted.traceparent) == replica.sink.named("token").context


def test_a_request_for_a_token_that_fails_says_by_which_error() -> None:
    replica = Replica()
    with pytest.raises(TimeoutError), replica.traces.token(None):
        raise TimeoutError
    assert replica.sink.named("token").error == "TimeoutError"


def test_a_trace_that_is_joined_after_the_first_attempt_changes_nothing() -> None:
    replica = Replica().play(*SERVED[:5], f.TraceJoined(CALLER), *SERVED[5:])
    assert {span.context.trace_id for span in replica.sink.spans} == {trace_id_of(SID)}


def test_the_second_token_for_a_room_does_not_move_its_session() -> None:
    other = "00-11111111111111111111111111111111-2222222222222222-01"
    replica = Replica().play(SERVED[0], f.TraceJoined(CALLER), f.TraceJoined(other), *SERVED[1:])
    assert {f"{span.context.trace_id:032x}" for span in replica.sink.spans} == {CALLER[3:35]}


@pytest.mark.parametrize(("sampling", "joined"), [(False, ()), (True, (f.TraceJoined(DISTRUSTED),))])
def test_what_is_not_sampled_is_not_told_and_the_worker_learns_that(*, sampling: bool, joined: tuple[f.Fact, ...]) -> None:
    unsampled = Replica(sampling=sampling).play(SERVED[0], *joined, *SERVED[1:])
    assert unsampled.sink.spans == []
    assert unsampled.session is not None
    assert unsampled.traces.traceparent(unsampled.session, "mary", 1).endswith("-00")
    assert unsampled.traces.exemplar(unsampled.session) is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        f"{CALLER}\n",
        f"{CALLER}-more",
    ],
)
def test_what_is_no_traceparent_is_none(header: str) -> None:
    assert SpanContext.read(header) is None


def test_a_traceparent_is_written_as_it_is_read() -> None:
    for header in (CALLER, DISTRUSTED):
        read = SpanContext.read(header)
        assert read is not None
        assert read.traceparent == header


async def test_the_last_spans_go_out_at_the_end() -> None:
    replica = Replica()
    await replica.traces.close()
    assert replica.sink.closed
