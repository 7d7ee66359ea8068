"""Whose agent is this: an agent belongs to a placement by its job's identity, by our key, or by its name.

Never by anything fuzzy. A name proves; it never condemns: only identities that we gave up are to be removed.
"""

from collections.abc import Iterator
from typing import Final

from orchestrator.core.placement import Attempt, Placement, PlacementState
from orchestrator.core.session import Agent, Session

_WORDS_FOR_NAMELESS: Final = (None, "")


def attempt_behind(session: Session, placement: Placement, agent: Agent) -> Attempt | None:
    """The attempt that this agent came from: by its job's identity, else by our key, else the open one of its name."""
    for attempt in reversed(placement.attempts):
        if attempt.identity == agent.identity:
            return attempt
    key = agent.key
    if key is not None and key.session == session.sid and key.placement == placement.agent_name:
        return placement.attempt(key.attempt)
    attempt_open = placement.open_attempt
    if attempt_open and attempt_open.identity is None and same_name(attempt_open.agent_name, agent.agent_name):
        return attempt_open
    return None


def belongs(session: Session, placement: Placement, agent: Agent) -> bool:
    return attempt_behind(session, placement, agent) is not None or any(
        same_name(name, agent.agent_name) for name in placement.names
    )


def same_name(wanted: str, stamped: str | None) -> bool:
    """Whether a participant's stamped agent name is the wanted one. Servers stamp a nameless agent with nothing."""
    return wanted == stamped or (wanted == "" and stamped in _WORDS_FOR_NAMELESS)


def evictions(session: Session) -> tuple[Agent, ...]:
    """Present agents of given-up attempts that nobody wants, or whom somebody sent away: to be removed at once."""
    if session.ended:
        return ()
    return tuple(
        a
        for a in session.agents
        if a.present
        and (a.identity in session.retired or _was_sent_away(session, a))
        and not stays_until_replaced(session, a.identity)
        and not any(p.wanting and may_serve(session, p, a) for p in session.placements)
    )


def stays_until_replaced(session: Session, identity: str) -> bool:
    """Whether an operator wants another one for this agent, which serves until that one is verified and seen."""
    return any(p.replacing == identity for p in session.placements)


def may_serve(session: Session, placement: Placement, agent: Agent) -> bool:
    """Whether it belongs to the placement, and nobody sent it away."""
    attempt = attempt_behind(session, placement, agent)
    return belongs(session, placement, agent) if attempt is None else not attempt.dismissed


def _was_sent_away(session: Session, agent: Agent) -> bool:
    """Whether a dispatch of ours brought it of which nobody wants anything any more."""
    for placement in session.placements:
        attempt = None if placement.identity == agent.identity else attempt_behind(session, placement, agent)
        if attempt is not None and attempt.ours and (attempt.dismissed or placement.state is PlacementState.CANCELLED):
            return True
    return False


def extras(session: Session) -> Iterator[tuple[Placement, Agent]]:
    """Present agents that belong to a placement which needs none of them: one serves it, or it is over.

    Not those that came for another placement, which may have the same name for its fallback.
    """
    if session.ended:
        return
    for placement in session.placements:
        if placement.wanting:
            continue
        for agent in session.agents:
            if (
                agent.present
                and agent.silent_at is None
                and agent.identity not in (placement.identity, placement.replacing)
                and belongs(session, placement, agent)
                and not _came_for_another(session, placement, agent)
            ):
                yield placement, agent


def _came_for_another(session: Session, placement: Placement, agent: Agent) -> bool:
    others = (p for p in session.placements if p.agent_name != placement.agent_name and not p.over)
    return any(p.identity == agent.identity or attempt_behind(session, p, agent) is not None for p in others)
