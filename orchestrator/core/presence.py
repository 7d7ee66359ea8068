"""Which agents are in the room now, and what that means for each placement.

* A placement that wants an agent is confirmed by any present agent that belongs to it and whose proof is high enough,
  one of a given-up attempt included: then that one wins, and the newer attempt is retired in its place. Not by one
  that somebody sent away.
* Others that belong stay extras, to be looked at; those with a retired identity go.
* `left` may come before `joined`. A participant sid never comes back, so a late `joined` is played before its `left`;
  but one that only a listing lacked was there all the time, and must answer again.
"""

from dataclasses import replace

from orchestrator.core.belonging import attempt_behind, may_serve
from orchestrator.core.causes import Cause
from orchestrator.core.facts import AgentJoined, AgentLeft, AgentReady, AgentSilent, AgentWarned, LeaveReason, Source
from orchestrator.core.ledger import agent_says, note, retire, warn, with_agent, with_attempt, with_placement
from orchestrator.core.listing import LISTING_LAG
from orchestrator.core.placement import Attempt, Placement, PlacementState
from orchestrator.core.proof import Proof, job_of_identity
from orchestrator.core.session import NOT_LISTED, Agent, Session
from orchestrator.core.settlement import confirm, lose


def joined(session: Session, fact: AgentJoined, now: float) -> Session:
    """An agent is in the room: heard of for the first time, now by a webhook after a listing, or after it left."""
    known = next((a for a in session.agents if a.participant_sid == fact.participant_sid), None)
    if known is not None and known.reason == NOT_LISTED:
        known = None
    if known is not None and known.heard_joining and not (known.source is Source.LISTING and fact.source is Source.WEBHOOK):
        return session
    agent = Agent(
        participant_sid=fact.participant_sid,
        identity=fact.identity,
        agent_name=fact.agent_name,
        joined_at=fact.joined_at,
        seen_at=now,
        key=fact.key,
        source=fact.source,
        ready=fact.ready,
        done=fact.done or (known is not None and known.done),
        answered_at=known.answered_at if known else None,
        rtt_ms=known.rtt_ms if known else None,
    )
    session = note(
        with_agent(session, agent), now, "agent_joined", fact.source, agent_name=fact.agent_name, identity=fact.identity
    )
    if fact.warning:
        session = warn(session, agent_says(fact.agent_name, fact.warning))
    session = assess(session, now)
    if known is not None and not known.present:
        return _gone(session, replace(agent, left_at=known.left_at, reason=known.reason, leave=known.leave), now)
    return session


def left(session: Session, fact: AgentLeft, now: float) -> Session:
    """An agent has left, whether we ever heard that it joined or not."""
    known = next((a for a in session.agents if a.participant_sid == fact.participant_sid), None)
    if known is not None and not known.present:
        return session
    if fact.source is Source.LISTING and (known is None or known.seen_at > fact.created_at - LISTING_LAG):
        return session
    if fact.leave is LeaveReason.NO_LOSS:
        # A migration sends no `joined` for the new connection, a duplicate's `joined` has its own sid.
        return session
    session = note(
        session,
        now,
        "agent_left",
        fact.source,
        agent_name=fact.agent_name,
        identity=fact.identity,
        detail=fact.reason,
    )
    agent = known or Agent(
        participant_sid=fact.participant_sid,
        identity=fact.identity,
        agent_name=fact.agent_name,
        joined_at=fact.joined_at,
        seen_at=now,
        key=fact.key,
        heard_joining=False,
    )
    gone = replace(agent, left_at=fact.created_at, reason=fact.reason, leave=fact.leave, done=agent.done or fact.done)
    return _gone(session, gone, now)


def fell_silent(session: Session, fact: AgentSilent, now: float) -> Session:
    """An agent that LiveKit still lists answers no more: its placement has lost it, and it is to go from the room.

    With its node gone there is nobody to be removed and nothing to be deleted: what is listed is a remnant for good.
    """
    agent = next((a for a in session.agents if a.participant_sid == fact.participant_sid and a.present), None)
    if agent is None or agent.silent_at is not None or (agent.answered_at or 0.0) > fact.since:
        return session
    session = note(
        session,
        now,
        "agent_silent",
        Source.PULSE,
        agent_name=agent.agent_name,
        identity=agent.identity,
        cause=fact.cause,
    )
    if fact.cause is Cause.NODE_LOST:
        session = _without_its_node(session, agent)
        remnant = replace(agent, left_at=now, reason="NODE_LOST", leave=LeaveReason.FAILURE)
        return _gone(session, remnant, now, fact.cause)
    session = _gone(session, replace(agent, silent_at=now), now, fact.cause)
    ours = [a.identity for p in session.placements for a in p.attempts if a.ours and a.identity == agent.identity]
    return retire(session, ours)


def _without_its_node(session: Session, agent: Agent) -> Session:
    for placement in session.placements:
        for attempt in placement.attempts:
            if attempt.identity == agent.identity:
                session = with_placement(session, with_attempt(placement, replace(attempt, deleted=True)))
    return session


def became_ready(session: Session, fact: AgentReady, now: float) -> Session:
    """The agent's own word that it serves; of one that has left, or that nobody knows, it is worth nothing."""
    agent = next((a for a in session.agents if a.participant_sid == fact.participant_sid and a.present), None)
    if agent is None or agent.ready:
        return session
    session = note(session, now, "agent_ready", Source.LISTING, agent_name=agent.agent_name, identity=agent.identity)
    return assess(with_agent(session, replace(agent, ready=True)), now)


def warned(session: Session, fact: AgentWarned, now: float) -> Session:  # noqa: ARG001 one signature for all folds
    """What an agent says of itself; of one that nobody knows, it is worth nothing."""
    agent = next((a for a in session.agents if a.participant_sid == fact.participant_sid), None)
    return session if agent is None else warn(session, agent_says(agent.agent_name, fact.warning))


def assess(session: Session, now: float) -> Session:
    """Hold every placement against the agents that are in the room now."""
    for placement in session.placements:
        session = _assess_placement(session, session.placement(placement.agent_name), now)
    return session


def _assess_placement(session: Session, placement: Placement, now: float) -> Session:
    if placement.state is PlacementState.VERIFIED:
        serving = session.present_agent(placement.identity or "")
        return _raise_proof(session, placement, serving) if serving else session
    if not placement.wanting:
        return session
    found = [
        a
        for a in session.agents
        if a.present
        and a.proof >= Proof.JOINED
        and not _serves_another(session, placement, a)
        and may_serve(session, placement, a)
    ]
    if not found:
        return session
    best = min(found, key=lambda a: (a.identity in session.retired, -a.proof, a.joined_at, a.participant_sid))
    if best.proof >= placement.policy.verify_at:
        return confirm(session, placement, best, now)
    return _raise_proof(session, placement, best)


def _serves_another(session: Session, placement: Placement, agent: Agent) -> bool:
    return any(
        p.agent_name != placement.agent_name and p.state is PlacementState.VERIFIED and p.identity == agent.identity
        for p in session.placements
    )


def _raise_proof(session: Session, placement: Placement, agent: Agent) -> Session:
    attempt = attempt_behind(session, placement, agent)
    if attempt is None or not attempt.open:
        return session
    answered_at = attempt.answered_at or agent.answered_at
    if attempt.proof >= agent.proof and attempt.answered_at == answered_at:
        return session
    raised = replace(
        attempt,
        proof=max(attempt.proof, agent.proof),
        identity=agent.identity,
        job_id=attempt.job_id or job_of_identity(agent.identity),
        joined_at=attempt.joined_at or agent.seen_at,
        answered_at=answered_at,
    )
    return with_placement(session, with_attempt(placement, raised))


def _gone(session: Session, agent: Agent, now: float, cause: Cause | None = None) -> Session:
    session = with_agent(session, agent)
    for placement in session.placements:
        if placement.participant_sid == agent.participant_sid and placement.state is PlacementState.VERIFIED:
            session = lose(session, placement, agent, now, cause or Cause.LEFT)
        elif (attempt := attempt_behind(session, placement, agent)) and _seen_and_open(attempt, agent):
            ended = replace(attempt, ended_at=now, cause=cause or Cause.JOINED_THEN_LEFT)
            session = with_placement(session, replace(with_attempt(placement, ended), cause=ended.cause))
    return assess(session, now)


def _seen_and_open(attempt: Attempt, agent: Agent) -> bool:
    """Whether the attempt's agent was in the room, and left before its proof was high enough."""
    return attempt.open and attempt.proof >= Proof.JOINED and attempt.identity == agent.identity
