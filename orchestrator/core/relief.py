"""How a placement ends by somebody's wish: its agent is dismissed, or relieved by another one."""

from dataclasses import replace

from orchestrator.core.facts import Source
from orchestrator.core.ledger import note, resolved, retire, with_placement
from orchestrator.core.lifecycle import PlacementEvent, next_state
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Session


def dismiss(session: Session, placement: Placement, source: Source, now: float) -> Session:
    """Nobody wants this placement any more: whoever serves it, or is under way for it, is to go."""
    leaving = (placement.identity, *(a.identity for a in placement.attempts if a.open))
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
            resumes=None,
            instead_of=None,
            leaves_at=None,
            attempts=tuple(replace(a, ended_at=now) if a.open else a for a in placement.attempts),
            incidents=resolved(placement.incidents, now),
        ),
    )
    return note(retire(session, leaving), now, "dismissed", source, agent_name=name, identity=placement.identity)


def relieve(session: Session, name: str, now: float) -> Session:
    """If this placement's agent serves by now, the one that it takes over from may go, or stays for its grace."""
    placement = session.placement(name)
    if placement.instead_of is None or placement.state is not PlacementState.VERIFIED:
        return session
    relieved = session.find_placement(placement.instead_of)
    session = with_placement(session, replace(placement, instead_of=None))
    if relieved is None or relieved.over or relieved.leaves_at is not None:
        return session
    if relieved.wanting or placement.grace <= 0:
        return dismiss(session, relieved, Source.ROLLCALL, now)
    session = with_placement(session, replace(relieved, leaves_at=now + placement.grace))
    return note(session, now, "relieved", Source.ROLLCALL, agent_name=relieved.agent_name, identity=relieved.identity)
