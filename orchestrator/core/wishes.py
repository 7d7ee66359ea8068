"""What people, tokens and agents ask for: an agent beside those of the routes, one in place of another, one to go.

* An agent that the session has, or is getting, is not placed again; one that was dismissed or has left is. As long as
  no attempt was made for it, it is placed as whoever asks for it by name says, and not as a route says.
* Instead of another: that one serves until the new one is verified, and then goes, after its grace. When the new one
  never comes, or is lost while the old one is still there, the old one stays. Who takes the place of one that has not
  come yet takes over from whom that one would have relieved. Who is asked for again while it is leaving stays.
* One agent name stands once in a session: whoever is placed is no other one's fallback.
* Whoever is dismissed goes at once, with whatever was under way to bring it, and is not replaced.
"""

from dataclasses import replace

from orchestrator.core.facts import AgentDismissed, AgentWanted, Source, Warned
from orchestrator.core.ledger import note, warn, with_placement
from orchestrator.core.lifecycle import PlacementEvent, next_state
from orchestrator.core.naming import spelled
from orchestrator.core.placement import Placement, placement_of
from orchestrator.core.presence import assess
from orchestrator.core.relief import dismiss, relieve
from orchestrator.core.session import Session
from orchestrator.core.settlement import cared_for


def agent_wanted(session: Session, fact: AgentWanted, now: float) -> Session:
    """Place an agent that somebody asks for, if it is not placed already, and note whom it relieves."""
    if session.ended:
        return session
    session = cared_for(session, now)
    name = fact.spec.agent_name
    placed = session.find_placement(name)
    wanted = placement_of(fact.spec, now)
    if placed is not None and not placed.over:
        if not placed.attempts:  # its routes wanted it, too, and did not know what whoever asks for it by name knows
            placed = replace(placed, candidates=wanted.candidates, policy=wanted.policy)
        placed = replace(placed, leaves_at=None, relieved_by=None)
        session = with_placement(session, placed)
        return relieve(without_doubles(_taking_over(session, placed, fact)), name, now)
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
        session = with_placement(_not_to_be_relieved(session, name), again)
    detail = None if fact.instead_of is None else f"instead of {spelled(fact.instead_of)}"
    session = note(session, now, "agent_wanted", fact.source, agent_name=name, detail=detail)
    return assess(without_doubles(_taking_over(session, session.placement(name), fact)), now)


def _taking_over(session: Session, placement: Placement, fact: AgentWanted) -> Session:
    """The session in which this placement's agent will relieve another one, or those that one would have relieved."""
    relieved = None if fact.instead_of is None else session.find_placement(fact.instead_of)
    if relieved is None or relieved.over or relieved.agent_name == placement.agent_name:
        return session
    names = dict.fromkeys((*placement.instead_of, relieved.agent_name, *relieved.instead_of))
    names.pop(placement.agent_name, None)
    return with_placement(session, replace(placement, instead_of=tuple(names), grace=fact.grace))


def _not_to_be_relieved(session: Session, name: str) -> Session:
    """The session in which a switch of before, which is still under way, does not cost the agent that is asked for now."""
    for placement in session.placements:
        if name in placement.instead_of:
            left = tuple(other for other in placement.instead_of if other != name)
            session = with_placement(session, replace(placement, instead_of=left))
    return session


def without_doubles(session: Session) -> Session:
    """The session in which no agent that has a placement of its own is to come as the fallback of another one, too."""
    placed = {p.agent_name for p in session.placements if not p.over}
    for placement in session.placements:
        tried, yet = placement.candidates[: placement.candidate + 1], placement.candidates[placement.candidate + 1 :]
        left = tuple(c for c in yet if c.agent_name not in placed)
        if left != yet and not placement.over:
            session = with_placement(session, replace(placement, candidates=(*tried, *left)))
    return session


def agent_dismissed(session: Session, fact: AgentDismissed, now: float) -> Session:
    """Take an agent out by somebody's wish, or by the end of the grace for which it might stay."""
    placement = session.find_placement(fact.placement)
    if session.ended or placement is None or placement.over:
        return session
    if fact.source is Source.ROLLCALL and (placement.leaves_at is None or placement.leaves_at > now):
        return session  # its grace was over, but it was asked for again, or is still needed
    return dismiss(session, placement, fact.source, now)


def warned(session: Session, fact: Warned, now: float) -> Session:  # noqa: ARG001 one signature for all folds
    return warn(session, fact.warning)
