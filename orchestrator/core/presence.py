"""Which agents are in the room, whose they are, and what their coming and going means for a placement.

The rules:

* An agent belongs to a placement when its identity is that of a job of one of its attempts, when it carries the
  placement's key, or when its agent name is one that the placement has tried. Never by anything fuzzy.
* A placement that wants an agent is confirmed by any present agent that belongs to it and whose proof is high enough,
  one of a given-up attempt included: then that one wins, and the newer attempt is retired in its place.
* Verified is one identity. Others that belong stay extras, to be looked at; those with a retired identity go.
* `left` may come before `joined`. A participant sid never comes back, so a late `joined` is played before its `left`.
"""

from collections.abc import Iterator
from dataclasses import replace

from orchestrator.core.causes import Cause
from orchestrator.core.facts import AgentJoined, AgentLeft, Awaited, LeaveReason, Source
from orchestrator.core.ledger import add_attempt, note, pardon, retire, with_agent, with_attempt, with_placement
from orchestrator.core.lifecycle import PlacementEvent, next_state
from orchestrator.core.policy import EARLY_LEAVE, OnLeave
from orchestrator.core.proof import Proof, job_of_identity
from orchestrator.core.session import Agent, Attempt, Incident, Placement, PlacementState, Session

_WORDS_FOR_NAMELESS = (None, "")


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
    """Present agents of given-up attempts that nobody wants: to be removed at once."""
    if session.ended:
        return ()
    return tuple(
        a
        for a in session.agents
        if a.present
        and a.identity in session.retired
        and not any(p.wanting and belongs(session, p, a) for p in session.placements)
    )


def extras(session: Session) -> Iterator[tuple[Placement, Agent]]:
    """Present agents that belong to a verified placement and are not the one that serves it."""
    for placement in session.placements:
        if placement.state is not PlacementState.VERIFIED:
            continue
        for agent in session.agents:
            if agent.present and agent.identity != placement.identity and belongs(session, placement, agent):
                yield placement, agent


def joined(session: Session, fact: AgentJoined, now: float) -> Session:
    known = next((a for a in session.agents if a.participant_sid == fact.participant_sid), None)
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
    session = assess(session, now)
    if known is not None and not known.present:
        return _gone(session, replace(agent, left_at=known.left_at, reason=known.reason, leave=known.leave), now)
    return session


def left(session: Session, fact: AgentLeft, now: float) -> Session:
    known = next((a for a in session.agents if a.participant_sid == fact.participant_sid), None)
    if known is not None and not known.present:
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
        and belongs(session, placement, a)
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
    if attempt is None or not attempt.open or attempt.proof >= agent.proof:
        return session
    raised = replace(
        attempt,
        proof=agent.proof,
        identity=agent.identity,
        job_id=attempt.job_id or job_of_identity(agent.identity),
        joined_at=attempt.joined_at or agent.seen_at,
    )
    return with_placement(session, with_attempt(placement, raised))


def confirm(session: Session, placement: Placement, agent: Agent, now: float) -> Session:
    """This agent serves the placement from now on; whatever else was under way for it is retired."""
    attempt = attempt_behind(session, placement, agent)
    if attempt is None:
        attempt = Attempt(
            number=placement.next_number,
            agent_name=agent.agent_name or placement.spec.agent_name,
            requested_at=now,
            adopted=True,
        )
        placement = add_attempt(placement, attempt)
    superseded = [a for a in placement.attempts if a.open and a.number != attempt.number]
    for other in superseded:
        placement = with_attempt(placement, replace(other, ended_at=now))
    placement = with_attempt(
        placement,
        replace(
            attempt,
            proof=agent.proof,
            identity=agent.identity,
            job_id=attempt.job_id or job_of_identity(agent.identity),
            joined_at=attempt.joined_at or agent.seen_at,
            ended_at=None,
            cause=None,
        ),
    )
    first = placement.time_to_agent_ms is None
    placement = replace(
        placement,
        state=next_state(placement.state, PlacementEvent.CONFIRM),
        identity=agent.identity,
        participant_sid=agent.participant_sid,
        cause=None,
        awaited=None,
        next_at=None,
        resumes=None,
        verified_at=now,
        time_to_agent_ms=max(round((agent.seen_at - placement.first_wanted_at) * 1000), 0)
        if first
        else placement.time_to_agent_ms,
        incidents=resolved(placement.incidents, now),
    )
    session = pardon(with_placement(session, placement), agent.identity)
    session = retire(session, (a.identity for a in superseded if a.ours))
    return note(
        session,
        now,
        "verified",
        Source.ROLLCALL,
        agent_name=placement.agent_name,
        attempt=attempt.number,
        identity=agent.identity,
    )


def resolved(incidents: tuple[Incident, ...], now: float) -> tuple[Incident, ...]:
    return tuple(i if i.resolved_at is not None else replace(i, resolved_at=now) for i in incidents)


def _gone(session: Session, agent: Agent, now: float) -> Session:
    session = with_agent(session, agent)
    for placement in session.placements:
        if placement.participant_sid == agent.participant_sid and placement.state is PlacementState.VERIFIED:
            session = _lost(session, placement, agent, now)
        elif (attempt := attempt_behind(session, placement, agent)) and _seen_and_open(attempt, agent):
            ended = replace(attempt, ended_at=now, cause=Cause.JOINED_THEN_LEFT)
            session = with_placement(session, replace(with_attempt(placement, ended), cause=Cause.JOINED_THEN_LEFT))
    return assess(session, now)


def _seen_and_open(attempt: Attempt, agent: Agent) -> bool:
    """Whether the attempt's agent was in the room, and left before its proof was high enough."""
    return attempt.open and attempt.proof >= Proof.JOINED and attempt.identity == agent.identity


def _lost(session: Session, placement: Placement, agent: Agent, now: float) -> Session:
    """The agent that served has left: failed, to be replaced, or to be left alone."""
    early = (agent.left_at or now) - agent.joined_at < EARLY_LEAVE
    event, cause = _what_follows(session, placement, agent, early=early)
    number = None
    for attempt in placement.attempts:
        if attempt.open and attempt.identity == agent.identity:
            number = attempt.number
            placement = with_attempt(placement, replace(attempt, ended_at=now, cause=cause))
    grace = event is PlacementEvent.LOSE and agent.leave is LeaveReason.GOODBYE
    placement = replace(
        placement,
        state=next_state(placement.state, event),
        identity=None,
        participant_sid=None,
        cause=cause,
        awaited=Awaited.GRACE if grace else None,
        next_at=now + placement.policy.goodbye_grace if grace else None,
        wanted_at=now + placement.policy.goodbye_grace if grace else now,
        resumes=number,
    )
    if event is PlacementEvent.FAIL:
        # It never served, whatever it said: the attempts and the deadline of this round go on where they were.
        placement = replace(placement, wanted_at=placement.first_wanted_at, resumes=None)
        if placement.losses == 0:
            placement = replace(placement, verified_at=None, time_to_agent_ms=None)
    if event is PlacementEvent.LOSE:
        placement = replace(placement, losses=placement.losses + 1, tries=0, candidate=0)
    session = with_placement(session, placement)
    if event is PlacementEvent.GIVE_UP:
        return give_up(session, placement, cause, now)
    name = {PlacementEvent.RELEASE: "released", PlacementEvent.FAIL: "attempt_ended"}.get(event, "lost")
    return note(session, now, name, Source.ROLLCALL, agent_name=placement.agent_name, attempt=number, cause=cause)


def _what_follows(session: Session, placement: Placement, agent: Agent, *, early: bool) -> tuple[PlacementEvent, Cause]:
    if agent.done or placement.policy.on_leave is OnLeave.IGNORE:
        return PlacementEvent.RELEASE, Cause.LEFT
    if early:
        return PlacementEvent.FAIL, Cause.JOINED_THEN_LEFT
    if agent.leave is LeaveReason.WISH and agent.identity not in session.retired:
        return PlacementEvent.RELEASE, Cause.LEFT
    if placement.losses >= placement.policy.replacements:
        return PlacementEvent.GIVE_UP, Cause.LEFT
    return PlacementEvent.LOSE, Cause.LEFT


def give_up(session: Session, placement: Placement, cause: Cause, now: float) -> Session:
    """Unverified: one incident opens, unless one is open already."""
    incidents = placement.incidents
    if not any(i.resolved_at is None for i in incidents):
        name = f"{session.sid}/{placement.agent_name}/{len(incidents) + 1}"
        incidents = (*incidents, Incident(name, cause, opened_at=now))
    placement = replace(
        placement,
        state=next_state(placement.state, PlacementEvent.GIVE_UP),
        cause=cause,
        candidate=0,  # what goes on once a minute asks for the agent that was wanted in the first place
        awaited=None,
        next_at=None,
        incidents=incidents,
    )
    session = with_placement(session, placement)
    return note(session, now, "unverified", Source.ROLLCALL, agent_name=placement.agent_name, cause=cause)
