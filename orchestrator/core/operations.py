"""What operators ask of a session as a whole: a new round of attempts, no agent any more, an incident that is seen to.

* A new round begins at once: backoff, grace and the minute of `keep_trying` are over, attempts and deadline count anew. An
  attempt that is under way goes on, as the round's first: ending it would make two agents of one. Numbers go on.
* An agent that serves is replaced (see `replacing`). One that was cancelled, or has left, comes again if it is named.
* Whom a person waits for, because nobody is in the room, is waited for all the same.
* Cancelled: all that is wanted is dismissed. What its routes would want, had they been asked, is not wanted either.
* An incident that is taken is resolved; the placement stays what it is, and dispatching goes on as its policy says. It
  opens no other one before a new round fails.
"""

from dataclasses import replace

from orchestrator.core.facts import Awaited, IncidentTaken, RoundWanted, SessionCancelled
from orchestrator.core.ledger import note, resolved, with_placement
from orchestrator.core.lifecycle import PlacementEvent, next_state
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.presence import assess
from orchestrator.core.relief import dismiss
from orchestrator.core.replacing import replaceable, to_be_replaced
from orchestrator.core.session import Session
from orchestrator.core.settlement import cared_for
from orchestrator.core.wishes import without_doubles


def round_wanted(session: Session, fact: RoundWanted, now: float) -> Session:
    if session.ended or (fact.placement is not None and session.find_placement(fact.placement) is None):
        return session
    session = cared_for(session, now)
    for name in (p.agent_name for p in session.placements if fact.placement in (None, p.agent_name)):
        placement = session.placement(name)
        if placement.asked == fact.wish or not may_begin(session, placement, named=fact.placement is not None):
            continue
        if placement.state is PlacementState.VERIFIED:
            session = to_be_replaced(session, placement, now)
        again = replace(_begun(session.placement(name), now), asked=fact.wish)
        detail = fact.reason or None
        session = note(with_placement(session, again), now, "redispatched", fact.source, agent_name=name, detail=detail)
    return assess(without_doubles(session), now)


def may_begin(session: Session, placement: Placement, *, named: bool) -> bool:
    """Whether a new round can begin for this placement."""
    if placement.over:
        return named and not _may_come_as_a_fallback(session, placement.agent_name)
    return placement.wanting or replaceable(session, placement)


def _may_come_as_a_fallback(session: Session, name: str) -> bool:
    """Whether another placement is trying this agent, or is served by it."""
    others = (p for p in session.placements if not p.over and p.agent_name != name)
    return any(c.agent_name == name for p in others for c in p.candidates[: p.candidate + 1])


def _begun(placement: Placement, now: float) -> Placement:
    """The placement at the beginning of a new round."""
    state = next_state(placement.state, PlacementEvent.WANT)
    under_way = placement.open_attempt
    if under_way is not None:
        state = next_state(state, PlacementEvent.REQUEST)
    return replace(
        placement,
        state=state,
        candidate=placement.candidate if under_way else 0,
        tries=1 if under_way else 0,
        wanted_at=now,
        first_wanted_at=now if placement.over else placement.first_wanted_at,
        awaited=placement.awaited if placement.awaited is Awaited.PEOPLE else None,
        next_at=None,
        released=False,
        resumes=None,
    )


def session_cancelled(session: Session, fact: SessionCancelled, now: float) -> Session:
    if session.ended or (session.routed and all(p.over for p in session.placements)):
        return session
    session = note(session, now, "cancelled", fact.source, detail=fact.reason or None)
    if not session.routed:
        session = replace(session, routed=True, route="cancelled by an operator", metadata="")
    for placement in session.placements:
        if not placement.over:
            session = dismiss(session, placement, fact.source, now)
    return session


def incident_taken(session: Session, fact: IncidentTaken, now: float) -> Session:
    for placement in session.placements:
        if fact.placement in (None, placement.agent_name) and placement.open_incident is not None:
            taken = replace(placement, incidents=resolved(placement.incidents, now))
            name, detail = placement.agent_name, fact.note or None
            session = note(with_placement(session, taken), now, "incident_taken", fact.source, agent_name=name, detail=detail)
    return session
