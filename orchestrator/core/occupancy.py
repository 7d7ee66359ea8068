"""The room itself and its people: its start, its end, and that end undone; who came and who left.

* `room_finished` is final. An end that only a listing showed is undone by whatever is heard later.
* A listing carries the time of its request. What it lacks, or counts, says nothing about what was heard since, or in the
  two seconds before.
"""

from dataclasses import replace
from typing import Final

from orchestrator.core import facts as f
from orchestrator.core import presence
from orchestrator.core.causes import Cause
from orchestrator.core.ledger import note, resolved, with_placement
from orchestrator.core.lifecycle import PlacementEvent, next_state
from orchestrator.core.listing import LISTING_LAG
from orchestrator.core.placement import Attempt, Placement
from orchestrator.core.relief import unreplaced
from orchestrator.core.session import Session
from orchestrator.core.settlement import cared_for

_FIRST_START: Final = 3.0
"""Seconds after LiveKit made a room within which its first room_started was made; LiveKit cuts its time to the second."""


def started(session: Session, fact: f.RoomStarted, now: float) -> Session:
    session = cared_for(session, now)
    session = replace(
        session,
        starts=session.starts + 1,
        restarted_at=now if _started_again(session, fact) else session.restarted_at,
        webhook_lag=_lag(fact.created_at, now),
    )
    return note(session, now, "room_started", f.Source.WEBHOOK)


def _started_again(session: Session, fact: f.RoomStarted) -> bool:
    """Whether this is not the room's first start, though it may be the first that we hear of."""
    return session.starts > 0 or fact.created_at > session.started_at + _FIRST_START


def listed(session: Session, fact: f.RoomListed, now: float) -> Session:
    if session.ended or session.heard_at:
        return session
    session = replace(session, observed=fact.observed)
    return note(session, now, "room_observed" if fact.observed else "room_found", f.Source.LISTING)


def finished(session: Session, fact: f.RoomFinished, now: float) -> Session:
    """The room is gone: for good by a webhook's word, until something newer is heard by a listing's."""
    from_listing = fact.source is f.Source.LISTING
    if session.ended:
        return session if from_listing else replace(session, ended_by=fact.source)
    if from_listing and _contradicted(session, fact.created_at):
        return session
    placements = tuple(over(placement, now) for placement in session.placements)
    session = replace(session, placements=placements, ended_at=now, ended_by=fact.source, people=0, metadata="")
    return note(session, now, "room_finished", fact.source)


def over(placement: Placement, now: float) -> Placement:
    """The placement in a room that has ended; nobody can come any more, whatever had been learned of why nobody had."""
    never_came = placement.wanting and placement.cause is None
    return replace(
        placement,
        state=next_state(placement.state, PlacementEvent.END),
        cause=Cause.ROOM_GONE if never_came else placement.cause,
        awaited=None,
        next_at=None,
        attempts=tuple(_over(placement, a, now) if a.open else a for a in placement.attempts),
        incidents=resolved(placement.incidents, now),
    )


def _over(placement: Placement, attempt: Attempt, now: float) -> Attempt:
    serves = placement.identity is not None and attempt.identity == placement.identity
    return replace(attempt, ended_at=now, cause=None if serves else Cause.ROOM_GONE)


def revived(session: Session, by: f.Source, now: float) -> Session:
    """The listings were wrong: whoever still is in the room serves on, and what is missing is wanted from now on."""
    for placement in session.placements:
        if not placement.released:
            state = next_state(placement.state, PlacementEvent.REVIVE)
            cause = None if placement.cause is Cause.ROOM_GONE else placement.cause
            again = replace(placement, state=state, cause=cause, tries=0, candidate=0, wanted_at=now, resumes=None)
            session = with_placement(session, again)
    session = note(replace(session, ended_at=None, ended_by=None), now, "room_lives_on", by)
    return unreplaced(presence.assess(session, now), now)


def _contradicted(session: Session, requested_at: float) -> bool:
    """Whether webhooks tell more of this room than a listing that was requested then."""
    return session.heard_at > requested_at - LISTING_LAG


def person_joined(session: Session, fact: f.PersonJoined, now: float) -> Session:
    session = _people(lagging(session, fact, now), fact.people, now)
    return note(session, now, "participant_joined", fact.source, identity=fact.identity)


def person_left(session: Session, fact: f.PersonLeft, now: float) -> Session:
    session = _people(lagging(session, fact, now), fact.people, now)
    return note(session, now, "participant_left", fact.source, identity=fact.identity or None)


def people_counted(session: Session, fact: f.PeopleCounted, now: float) -> Session:
    if fact.people == session.people or session.people_at > fact.requested_at - LISTING_LAG:
        return session
    return _people(session, fact.people, now)


def _people(session: Session, people: int, now: float) -> Session:
    if session.ended:
        return replace(session, had_people=True)
    session = replace(session, people=people, had_people=True, people_at=now)
    if people <= 0:
        return session
    for placement in session.placements:
        if placement.awaited is f.Awaited.PEOPLE:  # somebody came: it is wanted from now on
            first = placement.first_wanted_at if placement.attempts else now
            cause = None if placement.cause is Cause.ROOM_EMPTY else placement.cause
            wanted = replace(placement, cause=cause, awaited=None, next_at=None, tries=0, wanted_at=now, first_wanted_at=first)
            session = with_placement(session, wanted)
    return session


def lagging(session: Session, fact: f.PersonJoined | f.PersonLeft | f.AgentJoined, now: float) -> Session:
    return replace(session, webhook_lag=_lag(fact.created_at, now)) if fact.source is f.Source.WEBHOOK else session


def _lag(created_at: float, now: float) -> float:
    """How late an event came at the least: LiveKit's time of it is cut to the second."""
    return max(now - created_at - 1.0, 0.0)
