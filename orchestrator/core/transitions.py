"""fold(session, fact, now): everything that a fact changes in a session's record, one function per kind of fact.

The rules:

* The first fact of a session is RoomOpened; what comes without one is no session of ours.
* Folding the same fact twice changes nothing more: a commit whose reply was lost is made again.
* Order matters as little as LiveKit lets it: `left` before `joined`, `finished` before everything, a webhook half an
  hour late lead to the same state as the right order.
* `room_finished` is final. What comes after it is kept as evidence (an agent that had been there makes the outcome
  `verified`), and asks for nothing any more.
* A placement's state changes only through the table in `lifecycle`.
* `now` is the store's time at which the fact was stored.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from orchestrator.core import facts as f
from orchestrator.core import presence
from orchestrator.core.ledger import add_attempt, note, retire, warn, with_agent, with_attempt, with_placement
from orchestrator.core.lifecycle import PlacementEvent, next_state
from orchestrator.core.proof import Proof, identity_of_job
from orchestrator.core.session import Attempt, Placement, PlacementState, Session, placement_of


def fold(session: Session | None, fact: f.Fact, now: float) -> Session:
    """The session after a fact. Raises ValueError for a session that begins with anything but RoomOpened."""
    if session is None:
        if not isinstance(fact, f.RoomOpened):
            raise ValueError(f"a session begins with RoomOpened, not with {type(fact).__name__}")
        return _opened(fact, now)
    folded = _FOLDS[type(fact)](session, fact, now)
    return folded if folded is session else replace(folded, updated_at=now)


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


def _room_started(session: Session, fact: f.RoomStarted, now: float) -> Session:
    session = replace(session, starts=session.starts + 1, webhook_lag=_lag(fact.created_at, now))
    return note(session, now, "room_started", f.Source.WEBHOOK)


def _room_finished(session: Session, fact: f.RoomFinished, now: float) -> Session:
    if session.ended:
        return session
    for placement in session.placements:
        session = with_placement(
            session,
            replace(
                placement,
                state=next_state(placement.state, PlacementEvent.END),
                awaited=None,
                next_at=None,
                attempts=tuple(replace(a, ended_at=now) if a.open else a for a in placement.attempts),
                incidents=presence.resolved(placement.incidents, now),
            ),
        )
    session = replace(session, ended_at=now, people=0, metadata="")
    return note(session, now, "room_finished", fact.source)


def _person_joined(session: Session, fact: f.PersonJoined, now: float) -> Session:
    session = _people(replace(session, webhook_lag=_lag(fact.created_at, now)), fact.people, now)
    return note(session, now, "participant_joined", f.Source.WEBHOOK, identity=fact.identity)


def _person_left(session: Session, fact: f.PersonLeft, now: float) -> Session:
    session = _people(replace(session, webhook_lag=_lag(fact.created_at, now)), fact.people, now)
    return note(session, now, "participant_left", f.Source.WEBHOOK, identity=fact.identity)


def _people_counted(session: Session, fact: f.PeopleCounted, now: float) -> Session:
    return session if fact.people == session.people else _people(session, fact.people, now)


def _people(session: Session, people: int, now: float) -> Session:
    if session.ended:
        return replace(session, had_people=True)
    session = replace(session, people=people, had_people=True, people_at=now)
    if people <= 0:
        return session
    for placement in session.placements:
        if placement.awaited is f.Awaited.PEOPLE:  # somebody came: it is wanted from now on
            first = placement.first_wanted_at if placement.attempts else now
            wanted = replace(placement, awaited=None, next_at=None, wanted_at=now, first_wanted_at=first)
            session = with_placement(session, wanted)
    return session


def _agent_joined(session: Session, fact: f.AgentJoined, now: float) -> Session:
    if fact.source is f.Source.WEBHOOK:
        session = replace(session, webhook_lag=_lag(fact.created_at, now))
    if not session.ended:
        return presence.joined(session, fact, now)
    return _remember_that_it_was_there(presence.joined(session, fact, now), now)


def _agent_left(session: Session, fact: f.AgentLeft, now: float) -> Session:
    return presence.left(session, fact, now)


def _remember_that_it_was_there(session: Session, now: float) -> Session:
    """After the end: an agent whose `joined` came late had served all the same."""
    for placement in session.placements:
        if placement.verified_at is None and any(
            a.proof >= placement.policy.verify_at and presence.belongs(session, placement, a) for a in session.agents
        ):
            session = with_placement(session, replace(placement, verified_at=now))
    return session


def _agent_aborted(session: Session, fact: f.AgentAborted, now: float) -> Session:
    for placement in session.placements:
        attempt = placement.open_attempt
        if attempt is None or attempt.proof >= Proof.JOINED:
            continue
        if attempt.identity == fact.identity or presence.same_name(attempt.agent_name, fact.agent_name):
            aborted = replace(attempt, aborted=True, identity=attempt.identity or fact.identity)
            session = with_placement(session, with_attempt(placement, aborted))
    return note(session, now, "agent_aborted", f.Source.WEBHOOK, agent_name=fact.agent_name, identity=fact.identity)


def _job_changed(session: Session, fact: f.JobChanged, now: float) -> Session:
    for placement in session.placements:
        for attempt in placement.attempts:
            if attempt.dispatch_id != fact.dispatch_id and not _carries(fact, placement, attempt):
                continue
            identity = fact.identity or identity_of_job(fact.job_id)
            seen = replace(
                attempt,
                dispatch_id=fact.dispatch_id,
                job_id=fact.job_id,
                job_status=fact.status,
                job_has_identity=fact.identity is not None,
                identity=attempt.identity or identity,
            )
            if seen == attempt:
                return session
            session = with_placement(session, with_attempt(placement, seen))
            if seen.ours and not seen.open:
                session = retire(session, (identity,))
            session = note(
                session,
                now,
                f"job_{fact.status}",
                fact.source,
                agent_name=attempt.agent_name,
                attempt=attempt.number,
                dispatch_id=fact.dispatch_id,
            )
            return presence.assess(session, now)
    return session


def _carries(fact: f.JobChanged, placement: Placement, attempt: Attempt) -> bool:
    return (
        fact.key is not None
        and fact.key.placement == placement.agent_name
        and fact.key.attempt == attempt.number
        and fact.key.attempt_id == attempt.attempt_id
    )


def _pulse_answered(session: Session, fact: f.PulseAnswered, now: float) -> Session:
    agent = session.present_agent(fact.identity)
    if agent is None:
        return session
    return presence.assess(with_agent(session, replace(agent, answered_at=now, rtt_ms=fact.rtt_ms)), now)


def _routed(session: Session, fact: f.Routed, now: float) -> Session:
    if session.routed:
        return session
    session = replace(
        session,
        routed=True,
        route=fact.route,
        metadata="",
        placements=tuple(placement_of(spec, now) for spec in fact.placements),
        warnings=(*session.warnings, *fact.warnings),
    )
    session = note(session, now, "routed", f.Source.ROLLCALL, detail=fact.route)
    if session.ended:
        session = replace(session, placements=tuple(replace(p, state=PlacementState.ENDED) for p in session.placements))
        return _remember_that_it_was_there(session, now)
    return presence.assess(session, now)


def _waiting(session: Session, fact: f.Waiting, now: float) -> Session:  # noqa: ARG001
    placement = session.placement(fact.placement)
    if not placement.wanting:
        return session
    return with_placement(
        session,
        replace(
            placement,
            state=next_state(placement.state, PlacementEvent.WAIT),
            awaited=fact.awaited,
            next_at=fact.until,
        ),
    )


def _dispatch_adopted(session: Session, fact: f.DispatchAdopted, now: float) -> Session:
    placement = session.placement(fact.placement)
    if any(a.dispatch_id == fact.dispatch_id for a in placement.attempts):
        return session
    attempt = Attempt(
        number=placement.next_number,
        agent_name=placement.spec.agent_name,
        requested_at=now,
        attempt_id=fact.attempt_id,
        adopted=True,
        dispatch_id=fact.dispatch_id,
        proof=Proof.ACCEPTED,
        accepted_at=now,
    )
    return _begin(session, placement, attempt, "dispatch_adopted", f.Source.LISTING, now)


def _dispatch_recovered(session: Session, fact: f.DispatchRecovered, now: float) -> Session:
    placement = session.placement(fact.placement)
    if placement.attempt(fact.number) is not None:
        return session
    attempt = Attempt(
        number=fact.number,
        agent_name=fact.agent_name,
        requested_at=now,
        attempt_id=fact.attempt_id,
        dispatch_id=fact.dispatch_id,
        proof=Proof.ACCEPTED,
        ended_at=now,
    )
    session = with_placement(session, add_attempt(placement, attempt))
    return _note_attempt(session, attempt, "dispatch_recovered", f.Source.LISTING, now)


def _dispatch_requested(session: Session, fact: f.DispatchRequested, now: float) -> Session:
    placement = session.placement(fact.placement)
    if placement.attempt(fact.number) is not None:
        return session
    attempt = Attempt(number=fact.number, agent_name=fact.agent_name, requested_at=now, attempt_id=fact.attempt_id)
    return _begin(session, placement, attempt, "dispatch_requested", f.Source.ROLLCALL, now)


def _begin(session: Session, placement: Placement, attempt: Attempt, event: str, source: f.Source, now: float) -> Session:
    placement = replace(
        add_attempt(placement, attempt),
        state=next_state(placement.state, PlacementEvent.REQUEST),
        tries=placement.tries + 1,
        awaited=None,
        next_at=None,
    )
    return _note_attempt(with_placement(session, placement), attempt, event, source, now)


def _dispatch_accepted(session: Session, fact: f.DispatchAccepted, now: float) -> Session:
    placement = session.placement(fact.placement)
    attempt = placement.attempt(fact.number)
    if attempt is None or attempt.dispatch_id == fact.dispatch_id:
        return session
    accepted = replace(
        attempt,
        dispatch_id=fact.dispatch_id,
        accepted_at=attempt.accepted_at or now,
        proof=max(attempt.proof, Proof.ACCEPTED),
    )
    session = with_placement(session, with_attempt(placement, accepted))
    return _note_attempt(session, accepted, "dispatch_accepted", fact.source, now)


def _dispatch_deleted(session: Session, fact: f.DispatchDeleted, now: float) -> Session:
    placement = session.placement(fact.placement)
    attempt = placement.attempt(fact.number)
    if attempt is None or attempt.deleted:
        return session
    session = with_placement(session, with_attempt(placement, replace(attempt, deleted=True)))
    return _note_attempt(session, attempt, "dispatch_deleted", f.Source.ROLLCALL, now)


def _attempt_ended(session: Session, fact: f.AttemptEnded, now: float) -> Session:
    placement = session.placement(fact.placement)
    attempt = placement.attempt(fact.number)
    if attempt is None or not attempt.open or placement.state is PlacementState.VERIFIED:
        return session  # it won, or something else ended it, while the verdict was on its way
    ended = replace(attempt, ended_at=now, cause=fact.cause)
    placement = replace(with_attempt(placement, ended), cause=fact.cause)
    session = with_placement(session, placement)
    if ended.ours:
        session = retire(session, (ended.identity,))
    return _note_attempt(session, ended, "attempt_ended", f.Source.ROLLCALL, now)


def _fallback_chosen(session: Session, fact: f.FallbackChosen, now: float) -> Session:
    placement = session.placement(fact.placement)
    if not placement.wanting or placement.candidate >= fact.candidate:
        return session
    chosen = replace(placement, candidate=fact.candidate, tries=0, cause=fact.cause)
    session = warn(
        with_placement(session, chosen),
        f"{placement.agent_name} did not come ({fact.cause}); its fallback {chosen.spec.agent_name} was asked instead.",
    )
    return note(session, now, "fallback", f.Source.ROLLCALL, agent_name=chosen.spec.agent_name, cause=fact.cause)


def _gave_up(session: Session, fact: f.GaveUp, now: float) -> Session:
    placement = session.placement(fact.placement)
    if not placement.wanting or placement.state is PlacementState.UNVERIFIED:
        return session
    return presence.give_up(session, placement, fact.cause, now)


def _agent_retired(session: Session, fact: f.AgentRetired, now: float) -> Session:
    session = retire(session, (fact.identity,))
    return note(session, now, "agent_removed", f.Source.ROLLCALL, identity=fact.identity, detail=fact.why)


def _foreign_agent_serves(session: Session, fact: f.ForeignAgentServes, now: float) -> Session:
    placement = session.placement(fact.placement)
    foreign = session.present_agent(fact.identity)
    if foreign is None or placement.identity == fact.identity or placement.state is not PlacementState.VERIFIED:
        return session
    ours = placement.identity
    session = presence.confirm(session, placement, foreign, now)
    session = retire(session, (ours,))
    return warn(
        session,
        f"An agent {placement.agent_name} that Rollcall did not dispatch serves this room; ours was taken out again.",
    )


def _alert_queued(session: Session, fact: f.AlertQueued, now: float) -> Session:  # noqa: ARG001
    placement = session.placement(fact.placement)
    queued = {"firing_queued": True} if fact.status == "firing" else {"resolved_queued": True}
    incidents = tuple(
        replace(i, **queued) if i.incident == fact.incident else i  # type: ignore[arg-type]
        for i in placement.incidents
    )
    return with_placement(session, replace(placement, incidents=incidents))


def _note_attempt(session: Session, attempt: Attempt, event: str, source: f.Source, now: float) -> Session:
    return note(
        session,
        now,
        event,
        source,
        agent_name=attempt.agent_name,
        attempt=attempt.number,
        dispatch_id=attempt.dispatch_id,
        cause=attempt.cause,
    )


def _lag(created_at: float, now: float) -> float:
    """How late an event came at the least: LiveKit's time of it is cut to the second."""
    return max(now - created_at - 1.0, 0.0)


_FOLDS: Final[dict[type, Callable[[Session, Any, float], Session]]] = {
    f.RoomOpened: _opened_again,
    f.RoomStarted: _room_started,
    f.RoomFinished: _room_finished,
    f.PersonJoined: _person_joined,
    f.PersonLeft: _person_left,
    f.PeopleCounted: _people_counted,
    f.AgentJoined: _agent_joined,
    f.AgentLeft: _agent_left,
    f.AgentAborted: _agent_aborted,
    f.JobChanged: _job_changed,
    f.PulseAnswered: _pulse_answered,
    f.Routed: _routed,
    f.Waiting: _waiting,
    f.DispatchAdopted: _dispatch_adopted,
    f.DispatchRecovered: _dispatch_recovered,
    f.DispatchRequested: _dispatch_requested,
    f.DispatchAccepted: _dispatch_accepted,
    f.DispatchDeleted: _dispatch_deleted,
    f.AttemptEnded: _attempt_ended,
    f.FallbackChosen: _fallback_chosen,
    f.GaveUp: _gave_up,
    f.AgentRetired: _agent_retired,
    f.ForeignAgentServes: _foreign_agent_serves,
    f.AlertQueued: _alert_queued,
}
