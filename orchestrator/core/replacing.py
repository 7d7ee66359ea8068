"""An agent that serves is replaced by another one of its name, because an operator says so.

* It stays until the other one is verified, and a moment longer, for clients to see that one; then it goes, foreign or not.
* When the other one does not come, it serves on: nobody is worse off for the wish, and no fallback takes its place.
* When it leaves by itself meanwhile, what is under way is the replacement of an agent that was lost.
"""

from dataclasses import replace

from orchestrator.core.causes import Cause
from orchestrator.core.facts import AgentReplaced, Source
from orchestrator.core.ledger import note, retire, warn, with_placement
from orchestrator.core.lifecycle import PlacementEvent, next_state
from orchestrator.core.naming import spelled
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Session
from orchestrator.core.settlement import confirm


def replaceable(session: Session, placement: Placement) -> bool:
    """Whether an agent serves that another one could come for: not in an empty room, nor for one about to leave."""
    nobody = session.empty or (placement.policy.wait_for_people and session.people <= 0)
    return placement.state is PlacementState.VERIFIED and placement.leaves_at is None and not nobody


def to_be_replaced(session: Session, placement: Placement, now: float) -> Session:
    """The session in which a new round is to bring another agent for the one that serves."""
    session = retire(session, (placement.replacing,))  # of a replacement whose first agent has not left yet
    return with_placement(
        session,
        replace(
            placement,
            state=next_state(placement.state, PlacementEvent.LOSE),
            identity=None,
            participant_sid=None,
            replacing=placement.identity,
            replaced=placement.replaced + 1,
            attempts=tuple(replace(a, ended_at=a.ended_at or now, dismissed=a.dismissed or a.open) for a in placement.attempts),
        ),
    )


def serves_on(session: Session, placement: Placement, cause: Cause, now: float) -> Session | None:
    """The session in which the agent that was to be replaced serves on; None when there is none, or it is silent."""
    agent = session.present_agent(placement.replacing or "")
    if agent is None or agent.silent_at is not None:
        return None
    name = placement.agent_name
    session = note(session, now, "not_replaced", Source.ROLLCALL, agent_name=name, identity=agent.identity, cause=cause)
    session = warn(session, f"No other {spelled(name)} came ({cause}) when an operator asked for one; the old one serves on.")
    return confirm(session, placement, agent, now)


def agent_replaced(session: Session, fact: AgentReplaced, now: float) -> Session:
    """Clients have had the time to see the new agent: the one before goes."""
    placement = session.placement(fact.placement)
    if placement.replacing != fact.identity or placement.state is not PlacementState.VERIFIED:
        return session
    session = retire(with_placement(session, replace(placement, replacing=None)), (fact.identity,))
    return note(session, now, "replaced", Source.ROLLCALL, agent_name=placement.agent_name, identity=fact.identity)
