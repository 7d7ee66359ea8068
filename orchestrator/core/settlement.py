"""What becomes of a placement: it is confirmed by an agent, loses it, or is given up.

* Confirmed: this agent serves from now on, and whatever else was under way is retired. Verified is one identity. But
  an agent whose dispatch we had deleted was most likely told to leave: what is under way beside it goes on until it has
  stayed.
* Lost: an agent that left at once has failed its attempt; one that served is replaced, unless its leaving was its own
  word, somebody's wish, or of no interest to the policy, or another agent has relieved it.
* Given up: a person must know, by one incident that stays open until an agent comes or the room ends.
"""

from dataclasses import replace

from orchestrator.core.belonging import attempt_behind
from orchestrator.core.causes import Cause
from orchestrator.core.facts import Awaited, LeaveReason, Source
from orchestrator.core.ledger import add_attempt, note, pardon, resolved, retire, with_attempt, with_placement
from orchestrator.core.lifecycle import PlacementEvent, next_state
from orchestrator.core.placement import Attempt, Incident, Placement
from orchestrator.core.policy import EARLY_LEAVE, OnLeave
from orchestrator.core.proof import job_of_identity
from orchestrator.core.relief import relieve, relieve_no_longer
from orchestrator.core.session import Agent, Session


def confirm(session: Session, placement: Placement, agent: Agent, now: float) -> Session:
    """This agent serves the placement from now on; whatever else was under way for it is retired."""
    attempt = attempt_behind(session, placement, agent)
    if attempt is None:
        attempt = _adopted(placement, agent, now)
        placement = add_attempt(placement, attempt)
    superseded = [] if attempt.deleted else [a for a in placement.attempts if a.open and a.number != attempt.number]
    for other in superseded:
        placement = with_attempt(placement, replace(other, ended_at=now))
    placement = with_attempt(placement, _brought(attempt, agent))
    waited_ms = max(round((agent.seen_at - placement.first_wanted_at) * 1000), 0)
    placement = replace(
        placement,
        state=next_state(placement.state, PlacementEvent.CONFIRM),
        identity=agent.identity,
        participant_sid=agent.participant_sid,
        cause=None,
        awaited=None,
        next_at=None,
        replacing=None if placement.replacing == agent.identity else placement.replacing,
        resumes=None,
        verified_at=now,
        time_to_agent_ms=waited_ms if placement.time_to_agent_ms is None else placement.time_to_agent_ms,
        incidents=resolved(placement.incidents, now),
    )
    session = pardon(with_placement(cared_for(session, now), placement), agent.identity)
    session = retire(session, (a.identity for a in superseded if a.ours))
    name, number = placement.agent_name, attempt.number
    session = note(session, now, "verified", Source.ROLLCALL, agent_name=name, attempt=number, identity=agent.identity)
    return relieve(session, name, now)


def cared_for(session: Session, now: float) -> Session:
    """The session, observed no longer: one of its agents serves, or its room was started within our hearing."""
    if not session.observed:
        return session
    wanted = (replace(p, wanted_at=now, first_wanted_at=now) if p.wanting else p for p in session.placements)
    return replace(session, observed=False, placements=tuple(wanted))


def _adopted(placement: Placement, agent: Agent, now: float) -> Attempt:
    """The attempt behind an agent that came before we had made or adopted any: somebody else's dispatch brought it."""
    return Attempt(
        number=placement.next_number,
        agent_name=agent.agent_name or placement.spec.agent_name,
        requested_at=now,
        adopted=True,
    )


def _brought(attempt: Attempt, agent: Agent) -> Attempt:
    """The attempt as the one that brought this agent, whatever was thought of it before."""
    return replace(
        attempt,
        proof=agent.proof,
        identity=agent.identity,
        job_id=attempt.job_id or job_of_identity(agent.identity),
        joined_at=attempt.joined_at or agent.seen_at,
        answered_at=attempt.answered_at or agent.answered_at,
        ended_at=None,
        cause=None,
        dismissed=False,
    )


def lose(session: Session, placement: Placement, agent: Agent, now: float, cause: Cause = Cause.LEFT) -> Session:
    """The agent that served is gone: it failed, is to be replaced, or is to be left alone."""
    early = agent.left_at is not None and agent.left_at - agent.joined_at < EARLY_LEAVE
    event, cause = _what_follows(session, placement, agent, cause, early=early)
    number = None
    for attempt in placement.attempts:
        if attempt.open and attempt.identity == agent.identity:
            number = attempt.number
            placement = with_attempt(placement, replace(attempt, ended_at=now, cause=cause))
    grace = event is PlacementEvent.LOSE and agent.leave is LeaveReason.GOODBYE
    begun_at = placement.wanted_at
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
        released=event is PlacementEvent.RELEASE,
        leaves_at=None,
        relieved_by=None,
    )
    if event is PlacementEvent.FAIL:
        # It never served, whatever it said: the attempts and the deadline of this round go on where they were.
        placement = replace(placement, wanted_at=begun_at, resumes=None)
        if placement.losses == 0 and placement.replaced == 0:
            placement = replace(placement, verified_at=None, time_to_agent_ms=None)
    if event is PlacementEvent.LOSE:
        placement = replace(placement, losses=placement.losses + 1, tries=0, candidate=0)
    session = with_placement(session, placement)
    if event is not PlacementEvent.RELEASE:
        session = relieve_no_longer(session, placement.agent_name, now)
        placement = session.placement(placement.agent_name)
    if event is PlacementEvent.GIVE_UP:
        return give_up(session, placement, cause, now)
    name = {PlacementEvent.RELEASE: "released", PlacementEvent.FAIL: "attempt_ended"}.get(event, "lost")
    return note(session, now, name, Source.ROLLCALL, agent_name=placement.agent_name, attempt=number, cause=cause)


def _what_follows(
    session: Session, placement: Placement, agent: Agent, cause: Cause, *, early: bool
) -> tuple[PlacementEvent, Cause]:
    if agent.done or placement.leaves_at is not None or placement.policy.on_leave is OnLeave.IGNORE:
        return PlacementEvent.RELEASE, cause
    if early:
        return PlacementEvent.FAIL, Cause.JOINED_THEN_LEFT
    if agent.leave is LeaveReason.WISH and agent.identity not in session.retired:
        return PlacementEvent.RELEASE, cause
    if placement.losses >= placement.policy.replacements:
        return PlacementEvent.GIVE_UP, cause
    return PlacementEvent.LOSE, cause


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
