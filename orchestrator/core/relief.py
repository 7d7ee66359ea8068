"""How a placement ends by somebody's wish: its agent is dismissed, or relieved by another one."""

from dataclasses import replace
from typing import Final

from orchestrator.core.facts import Source
from orchestrator.core.ledger import note, resolved, retire, with_placement
from orchestrator.core.lifecycle import PlacementEvent, next_state
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Session

SHOWN_AFTER: Final = 1.0
"""Seconds that a relieved agent stays at the least. LiveKit tells clients at once who has left, and of an agent that came
when it publishes or sets an attribute, or after up to 3 s: without this people saw nobody for up to 0.3 s (measured)."""


def dismiss(session: Session, placement: Placement, source: Source, now: float) -> Session:
    """Nobody wants this placement any more: whoever serves it, or is under way for it, is to go."""
    leaving = (placement.identity, placement.replacing, *(a.identity for a in placement.attempts if a.open))
    name = placement.agent_name
    session = with_placement(
        session,
        replace(
            placement,
            state=next_state(placement.state, PlacementEvent.CANCEL),
            identity=None,
            participant_sid=None,
            awaited=None,
            next_at=None,
            replacing=None,
            resumes=None,
            instead_of=(),
            leaves_at=None,
            relieved_by=None,
            attempts=tuple(replace(a, ended_at=a.ended_at or now, dismissed=True) for a in placement.attempts),
            incidents=resolved(placement.incidents, now),
        ),
    )
    return note(retire(session, leaving), now, "dismissed", source, agent_name=name, identity=placement.identity)


def relieve(session: Session, name: str, now: float) -> Session:
    """If this placement's agent serves by now, those that it takes over from may go, after its grace."""
    placement = session.placement(name)
    if not placement.instead_of or placement.state is not PlacementState.VERIFIED:
        return session
    session = with_placement(session, replace(placement, instead_of=()))
    for other in placement.instead_of:
        relieved = session.find_placement(other)
        if relieved is None or relieved.over or relieved.leaves_at is not None:
            continue
        if relieved.wanting:
            session = dismiss(session, relieved, Source.ROLLCALL, now)
            continue
        leaves_at = now + max(placement.grace, SHOWN_AFTER)
        session = with_placement(session, replace(relieved, leaves_at=leaves_at, relieved_by=name))
        session = note(session, now, "relieved", Source.ROLLCALL, agent_name=other, identity=relieved.identity)
    return session


def relieve_no_longer(session: Session, name: str, now: float) -> Session:
    """This placement's agent is gone: whoever is still there of those that it relieved serves on, until it comes again."""
    for relieved in session.placements:
        if relieved.relieved_by == name and relieved.state is PlacementState.VERIFIED:
            placement, other, identity = session.placement(name), relieved.agent_name, relieved.identity
            session = with_placement(session, replace(placement, instead_of=(*placement.instead_of, other)))
            session = with_placement(session, replace(relieved, leaves_at=None, relieved_by=None))
            session = note(session, now, "serves_on", Source.ROLLCALL, agent_name=other, identity=identity)
    return session


def unreplaced(session: Session, now: float) -> Session:
    """Whoever was relieved and has gone while the room was thought to have ended is wanted no more than before."""
    for placement in session.placements:
        if placement.leaves_at is not None and placement.wanting:
            session = dismiss(session, placement, Source.ROLLCALL, now)
    return session
