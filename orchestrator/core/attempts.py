"""What the facts about attempts change: each is requested once, accepted, and ended with its cause.

Numbers are never reused, so a fact that names one says the same however often and however late it is folded.
"""

from dataclasses import replace

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from orchestrator.core.ledger import add_attempt, note, retire, warn, with_attempt, with_placement, without_attempt
from orchestrator.core.lifecycle import PlacementEvent, next_state
from orchestrator.core.placement import Attempt, Placement, PlacementState
from orchestrator.core.presence import assess
from orchestrator.core.proof import Proof, identity_of_job
from orchestrator.core.replacing import serves_on
from orchestrator.core.session import Session
from orchestrator.core.settlement import confirm, give_up


def waiting(session: Session, fact: f.Waiting, now: float) -> Session:  # noqa: ARG001
    placement = session.placement(fact.placement)
    if not placement.wanting:
        return session
    deserted = session.empty and fact.awaited is f.Awaited.PEOPLE
    return with_placement(
        session,
        replace(
            placement,
            state=next_state(placement.state, PlacementEvent.WAIT),
            cause=Cause.ROOM_EMPTY if deserted and placement.cause is None else placement.cause,
            awaited=fact.awaited,
            next_at=fact.until,
        ),
    )


def pause_over(session: Session, fact: f.PauseOver, now: float) -> Session:
    """The round begins anew: its attempts and its deadline are not spent by an operator's pause."""
    placement = session.placement(fact.placement)
    if not placement.wanting or placement.awaited is not f.Awaited.PAUSED:
        return session
    return with_placement(session, replace(placement, awaited=None, next_at=None, wanted_at=now, tries=0))


def dispatch_adopted(session: Session, fact: f.DispatchAdopted, now: float) -> Session:
    placement = session.placement(fact.placement)
    if any(a.dispatch_id == fact.dispatch_id for a in placement.attempts) or not session.wants(placement):
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


def dispatch_recovered(session: Session, fact: f.DispatchRecovered, now: float) -> Session:
    """Take a dispatch with our key that the record lacks into it: the newest goes on, an older one has ended."""
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
    )
    if fact.number < placement.next_number or not placement.wanting:
        attempt = replace(attempt, ended_at=now)
        session = with_placement(session, add_attempt(placement, attempt))
        return _note_attempt(session, attempt, "dispatch_recovered", f.Source.LISTING, now)
    # It is the newest: what the store forgot of it goes on as after a takeover, and what came before it has ended.
    older = [a for a in placement.attempts if a.open]
    for other in older:
        placement = with_attempt(placement, replace(other, ended_at=now))
    session = retire(session, (a.identity for a in older if a.ours))
    return _begin(session, placement, attempt, "dispatch_recovered", f.Source.LISTING, now)


def dispatch_requested(session: Session, fact: f.DispatchRequested, now: float) -> Session:
    placement = session.placement(fact.placement)
    if placement.attempt(fact.number) is not None or not session.wants(placement):
        return session  # the facts that were folded just before it may have brought the agent
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


def dispatch_accepted(session: Session, fact: f.DispatchAccepted, now: float) -> Session:
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


def dispatch_deleted(session: Session, fact: f.DispatchDeleted, now: float) -> Session:
    placement = session.placement(fact.placement)
    attempt = placement.attempt(fact.number)
    if attempt is None or attempt.deleted:
        return session
    session = with_placement(session, with_attempt(placement, replace(attempt, deleted=True)))
    return _note_attempt(session, attempt, "dispatch_deleted", f.Source.ROLLCALL, now)


def attempt_ended(session: Session, fact: f.AttemptEnded, now: float) -> Session:
    placement = session.placement(fact.placement)
    attempt = placement.attempt(fact.number)
    if attempt is None or not attempt.open or _serves(placement, attempt):
        return session  # it won, or something else ended it, while the verdict was on its way
    ended = replace(attempt, ended_at=now, cause=fact.cause)
    placement = with_attempt(placement, ended)
    if placement.state is not PlacementState.VERIFIED:
        placement = replace(placement, cause=fact.cause)
    session = with_placement(session, placement)
    if ended.ours:
        session = retire(session, (ended.identity,))
    return _note_attempt(session, ended, "attempt_ended", f.Source.ROLLCALL, now)


def _serves(placement: Placement, attempt: Attempt) -> bool:
    return placement.state is PlacementState.VERIFIED and attempt.identity == placement.identity


def fallback_chosen(session: Session, fact: f.FallbackChosen, now: float) -> Session:
    placement = session.placement(fact.placement)
    if not placement.wanting or placement.candidate >= fact.candidate or fact.candidate >= len(placement.candidates):
        return session  # the last of them may be in the room by now, as somebody asked for it by name
    if (kept := serves_on(session, placement, fact.cause, now)) is not None:
        return kept
    chosen = replace(placement, candidate=fact.candidate, tries=0, cause=fact.cause)
    session = warn(
        with_placement(session, chosen),
        f"{placement.agent_name} did not come ({fact.cause}); its fallback {chosen.spec.agent_name} was asked instead.",
    )
    return note(session, now, "fallback", f.Source.ROLLCALL, agent_name=chosen.spec.agent_name, cause=fact.cause)


def gave_up(session: Session, fact: f.GaveUp, now: float) -> Session:
    placement = session.placement(fact.placement)
    if not placement.wanting or placement.state is PlacementState.UNVERIFIED:
        return session
    return serves_on(session, placement, fact.cause, now) or give_up(session, placement, fact.cause, now)


def job_changed(session: Session, fact: f.JobChanged, now: float) -> Session:
    """A job explains its attempt, names its agent, and tells whose an agent is that was credited by its name alone."""
    found = next(((p, a) for p in session.placements for a in p.attempts if _is_behind(fact, p, a)), None)
    if found is None:
        return session
    placement, attempt = found
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
    placement = _disown(with_attempt(placement, seen), seen)
    session = with_placement(session, placement)
    session = _note_attempt(session, seen, f"job_{fact.status}", fact.source, now)
    serving = session.present_agent(seen.identity or "") if placement.identity == seen.identity else None
    if serving is not None and not seen.open:
        return confirm(session, placement, serving, now)
    if seen.ours and not seen.open:
        session = retire(session, (identity,))
    return assess(session, now)


def _is_behind(fact: f.JobChanged, placement: Placement, attempt: Attempt) -> bool:
    """Whether the job is of this attempt's dispatch, or of one that carries its key and whose reply was lost."""
    key = fact.key
    return attempt.dispatch_id == fact.dispatch_id or (
        key is not None
        and key.placement == placement.agent_name
        and key.attempt == attempt.number
        and key.attempt_id == attempt.attempt_id
    )


def _disown(placement: Placement, owner: Attempt) -> Placement:
    """Take an agent away from the attempts that were credited with it by its name alone: its job says whose it is.

    One that was made up for it, for want of a dispatch that we knew of, never was an attempt.
    """
    for other in placement.attempts:
        if other.number != owner.number and other.identity == owner.identity and other.job_status is None:
            if other.adopted and other.dispatch_id is None:
                placement = without_attempt(placement, other)
            else:
                placement = with_attempt(placement, replace(other, identity=None, job_id=None))
    return placement


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
