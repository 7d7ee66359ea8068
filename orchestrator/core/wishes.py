"""What people, tokens and agents ask for: an agent beside those of the routes, one in place of another, one to go.

* An agent that the session has, or is getting, is not placed again; one that was dismissed or has left is. As long as
  no attempt was made for it, it is placed as whoever asks for it by name says, and not as a route says.
* Instead of another: that one serves until the new one is verified, and then goes, after its grace. When the new one
  never comes, the old one stays.
* Whoever is dismissed goes at once, with whatever was under way to bring it, and is not replaced.
"""

from dataclasses import replace

from orchestrator.core.facts import AgentDismissed, AgentWanted, Warned
from orchestrator.core.ledger import note, warn, with_placement
from orchestrator.core.lifecycle import PlacementEvent, next_state
from orchestrator.core.placement import Placement, placement_of
from orchestrator.core.presence import assess
from orchestrator.core.relief import dismiss, relieve
from orchestrator.core.session import Session
from orchestrator.core.settlement import cared_for


def agent_wanted(session: Session, fact: AgentWanted, now: float) -> Session:
    if session.ended:
        return session
    session = cared_for(session, now)
    name = fact.spec.agent_name
    placed = session.find_placement(name)
    wanted = placement_of(fact.spec, now)
    if placed is not None and not placed.over:
        if not placed.attempts:  # its routes wanted it, too, and did not know what whoever asks for it by name knows
            placed = replace(placed, candidates=wanted.candidates, policy=wanted.policy)
            session = with_placement(session, placed)
        return relieve(_taking_over(session, placed, fact), name, now)
    if placed is None:
        session = replace(session, placements=(*session.placements, wanted))
    else:
        again = replace(
            wanted,
            state=next_state(placed.state, PlacementEvent.WANT),
            attempts=placed.attempts,
            attempts_total=placed.attempts_total,
            incidents=placed.incidents,
        )
        session = with_placement(session, again)
    detail = None if fact.instead_of is None else f"instead of {fact.instead_of or '(unnamed)'}"
    session = note(session, now, "agent_wanted", fact.source, agent_name=name, detail=detail)
    return assess(_taking_over(session, session.placement(name), fact), now)


def _taking_over(session: Session, placement: Placement, fact: AgentWanted) -> Session:
    """The session in which this placement's agent will relieve another one. That one's fallbacks leave its name alone."""
    relieved = None if fact.instead_of is None else session.find_placement(fact.instead_of)
    if relieved is None or relieved.over or relieved.agent_name == placement.agent_name:
        return session
    if relieved.candidate == 0:
        others = tuple(c for c in relieved.candidates[1:] if c.agent_name != placement.agent_name)
        session = with_placement(session, replace(relieved, candidates=(relieved.candidates[0], *others)))
    return with_placement(session, replace(placement, instead_of=fact.instead_of, grace=fact.grace))


def agent_dismissed(session: Session, fact: AgentDismissed, now: float) -> Session:
    placement = session.find_placement(fact.placement)
    if session.ended or placement is None or placement.over:
        return session
    return dismiss(session, placement, fact.source, now)


def warned(session: Session, fact: Warned, now: float) -> Session:  # noqa: ARG001 one signature for all folds
    return warn(session, fact.warning)
