"""fold(session, fact, now): everything that a fact changes in a session's record, one function per kind of fact.

The rules:

* The first fact of a session is RoomOpened; what comes without one is no session of ours.
* Folding the same fact twice changes nothing more: a commit whose reply was lost is made again.
* Order matters as little as LiveKit lets it: `left` before `joined`, `finished` before everything, a webhook half an
  hour late lead to the same state as the right order.
* `room_finished` is final. What comes after it is kept as evidence (an agent that had been there makes the outcome
  `verified`), and asks for nothing any more. An end that only a listing showed is undone by whatever is heard later.
* A listing carries the time of its request. What it lacks, or counts, says nothing about what was heard since, or in
  the two seconds before.
* A placement's state changes only through the table in `lifecycle`.
* `now` is the store's time at which the fact was stored.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from orchestrator.core import attempts, occupancy, operations, presence, replacing, wishes
from orchestrator.core import facts as f
from orchestrator.core.belonging import belongs, same_name
from orchestrator.core.causes import Cause
from orchestrator.core.ledger import note, retire, warn, with_agent, with_attempt, with_placement
from orchestrator.core.placement import PlacementState, placement_of
from orchestrator.core.proof import Proof
from orchestrator.core.session import Session
from orchestrator.core.settlement import confirm


def fold(session: Session | None, fact: f.Fact, now: float) -> Session:
    """The session after a fact. Raises ValueError for a session that begins with anything but RoomOpened."""
    if session is None:
        if not isinstance(fact, f.RoomOpened):
            raise ValueError(f"a session begins with RoomOpened, not with {type(fact).__name__}")
        return _opened(fact, now)
    heard = _is_heard(fact)
    lives = heard or isinstance(fact, f.RoomListed)
    if lives and session.ended_by is f.Source.LISTING and not isinstance(fact, f.RoomFinished):
        session = occupancy.revived(session, _source_of(fact), now)
    folded = _FOLDS[type(fact)](session, fact, now)
    if heard:
        return replace(folded, heard_at=now, updated_at=now)
    return folded if folded is session else replace(folded, updated_at=now)


def _is_heard(fact: f.Fact) -> bool:
    """Whether LiveKit told us by itself."""
    return isinstance(fact, f.RoomStarted | f.AgentAborted) or getattr(fact, "source", None) is f.Source.WEBHOOK


def _source_of(fact: f.Fact) -> f.Source:
    return f.Source.WEBHOOK if _is_heard(fact) else f.Source.LISTING


def _opened(fact: f.RoomOpened, now: float) -> Session:
    return Session(
        sid=fact.sid,
        room=fact.room,
        started_at=fact.started_at,
        opened_at=now,
        updated_at=now,
        metadata=fact.metadata,
    )


def _opened_again(session: Session, fact: f.RoomOpened, now: float) -> Session:  # noqa: ARG001 one signature for all folds
    return session


def _agent_joined(session: Session, fact: f.AgentJoined, now: float) -> Session:
    session = occupancy.lagging(session, fact, now)
    if not session.ended:
        return presence.joined(session, fact, now)
    return _remember_that_it_was_there(presence.joined(session, fact, now), now)


def _agent_left(session: Session, fact: f.AgentLeft, now: float) -> Session:
    return presence.left(session, fact, now)


def _remember_that_it_was_there(session: Session, now: float) -> Session:
    """After the end: an agent whose `joined` came late had served all the same."""
    for placement in session.placements:
        if placement.verified_at is None and any(
            a.proof >= placement.policy.verify_at and belongs(session, placement, a) for a in session.agents
        ):
            cause = None if placement.cause is Cause.ROOM_GONE else placement.cause
            session = with_placement(session, replace(placement, verified_at=now, cause=cause))
    return session


def _agent_aborted(session: Session, fact: f.AgentAborted, now: float) -> Session:
    for placement in session.placements:
        attempt = placement.open_attempt
        if attempt is None or attempt.proof >= Proof.JOINED:
            continue
        if attempt.identity == fact.identity or same_name(attempt.agent_name, fact.agent_name):
            aborted = replace(attempt, aborted=True, identity=attempt.identity or fact.identity)
            session = with_placement(session, with_attempt(placement, aborted))
    return note(session, now, "agent_aborted", f.Source.WEBHOOK, agent_name=fact.agent_name, identity=fact.identity)


def _pulse_answered(session: Session, fact: f.PulseAnswered, now: float) -> Session:
    agent = session.present_agent(fact.identity)
    if agent is None:
        return session
    if agent.silent_at is not None:
        name, identity = agent.agent_name, agent.identity
        session = note(session, now, "agent_answers_again", f.Source.PULSE, agent_name=name, identity=identity)
    answering = replace(agent, answered_at=now, rtt_ms=fact.rtt_ms, silent_at=None)
    return presence.assess(with_agent(session, answering), now)


def _pulse_unsupported(session: Session, fact: f.PulseUnsupported, now: float) -> Session:
    agent = session.present_agent(fact.identity)
    if agent is None or agent.unaskable:
        return session
    return presence.assess(with_agent(session, replace(agent, unaskable=True)), now)


def _routed(session: Session, fact: f.Routed, now: float) -> Session:
    if session.routed:
        return session
    session = replace(
        session,
        routed=True,
        route=fact.route,
        metadata="",
        placements=(*session.placements, *(placement_of(spec, now) for spec in fact.placements if _is_new(session, spec))),
        warnings=(*session.warnings, *fact.warnings),
    )
    session = wishes.without_doubles(note(session, now, "routed", f.Source.ROLLCALL, detail=fact.route))
    if session.ended:
        session = replace(session, placements=tuple(occupancy.over(p, now) for p in session.placements))
        return _remember_that_it_was_there(session, now)
    return presence.assess(session, now)


def _is_new(session: Session, spec: f.PlacementSpec) -> bool:
    """Whether nobody asked for this agent before the routes did."""
    return session.find_placement(spec.agent_name) is None


def _agent_retired(session: Session, fact: f.AgentRetired, now: float) -> Session:
    session = retire(session, (fact.identity,))
    return note(session, now, "agent_removed", f.Source.ROLLCALL, identity=fact.identity, detail=fact.why)


def _foreign_agent_serves(session: Session, fact: f.ForeignAgentServes, now: float) -> Session:
    placement = session.placement(fact.placement)
    foreign = session.present_agent(fact.identity)
    if foreign is None or placement.identity == fact.identity or placement.state is not PlacementState.VERIFIED:
        return session
    if foreign.proof < Proof.JOINED:  # only listed, or silent: nobody gives way to what may not be there
        return session
    ours = placement.identity
    session = confirm(session, placement, foreign, now)
    session = retire(session, (ours,))
    return warn(
        session,
        f"An agent {placement.agent_name} that Rollcall did not dispatch serves this room; ours was taken out again.",
    )


def _stranger_seen(session: Session, fact: f.StrangerSeen, now: float) -> Session:  # noqa: ARG001
    return warn(
        session, f"Another agent {fact.placement}, {fact.identity}, is in the room; Rollcall dispatched neither of the two."
    )


def _trace_joined(session: Session, fact: f.TraceJoined, now: float) -> Session:  # noqa: ARG001
    """Once, and not when a worker may have been told of another trace."""
    if session.traceparent or any(placement.attempts for placement in session.placements):
        return session
    return replace(session, traceparent=fact.traceparent)


def _alert_queued(session: Session, fact: f.AlertQueued, now: float) -> Session:  # noqa: ARG001
    placement = session.placement(fact.placement)
    queued = {"firing_queued": True} if fact.status == "firing" else {"resolved_queued": True}
    incidents = tuple(
        replace(i, **queued) if i.incident == fact.incident else i  # type: ignore[arg-type]
        for i in placement.incidents
    )
    return with_placement(session, replace(placement, incidents=incidents))


_FOLDS: Final[dict[type, Callable[[Session, Any, float], Session]]] = {
    f.RoomOpened: _opened_again,
    f.RoomStarted: occupancy.started,
    f.RoomListed: occupancy.listed,
    f.RoomFinished: occupancy.finished,
    f.PersonJoined: occupancy.person_joined,
    f.PersonLeft: occupancy.person_left,
    f.PeopleCounted: occupancy.people_counted,
    f.AgentJoined: _agent_joined,
    f.AgentLeft: _agent_left,
    f.AgentReady: presence.became_ready,
    f.AgentWarned: presence.warned,
    f.AgentAborted: _agent_aborted,
    f.JobChanged: attempts.job_changed,
    f.PulseAnswered: _pulse_answered,
    f.PulseUnsupported: _pulse_unsupported,
    f.AgentSilent: presence.fell_silent,
    f.Routed: _routed,
    f.AgentWanted: wishes.agent_wanted,
    f.AgentDismissed: wishes.agent_dismissed,
    f.RoundWanted: operations.round_wanted,
    f.SessionCancelled: operations.session_cancelled,
    f.IncidentTaken: operations.incident_taken,
    f.TraceJoined: _trace_joined,
    f.Warned: wishes.warned,
    f.Waiting: attempts.waiting,
    f.PauseOver: attempts.pause_over,
    f.DispatchAdopted: attempts.dispatch_adopted,
    f.DispatchRecovered: attempts.dispatch_recovered,
    f.DispatchRequested: attempts.dispatch_requested,
    f.DispatchAccepted: attempts.dispatch_accepted,
    f.DispatchDeleted: attempts.dispatch_deleted,
    f.AttemptEnded: attempts.attempt_ended,
    f.FallbackChosen: attempts.fallback_chosen,
    f.GaveUp: attempts.gave_up,
    f.AgentRetired: _agent_retired,
    f.AgentReplaced: replacing.agent_replaced,
    f.ForeignAgentServes: _foreign_agent_serves,
    f.StrangerSeen: _stranger_seen,
    f.AlertQueued: _alert_queued,
}
