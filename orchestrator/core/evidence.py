"""What a look into the room tells: the facts that the record lacks, and which cause is left when proof stayed short."""

from collections.abc import Iterator

from orchestrator.core.belonging import belongs
from orchestrator.core.causes import Cause
from orchestrator.core.facts import (
    AgentJoined,
    AgentLeft,
    AgentReady,
    AgentWarned,
    DispatchAccepted,
    DispatchRecovered,
    Fact,
    JobChanged,
    JobStatus,
    LeaveReason,
    PeopleCounted,
    PersonJoined,
    PersonLeft,
    Source,
)
from orchestrator.core.ledger import agent_says, is_new_warning
from orchestrator.core.listing import LISTING_LAG, ListedDispatch, Look
from orchestrator.core.placement import Attempt, Placement
from orchestrator.core.proof import Proof
from orchestrator.core.session import NOT_LISTED, Agent, Session


def differences(session: Session, look: Look) -> tuple[Fact, ...]:
    """The facts about agents and dispatches by which a look differs from the record."""
    return (*agent_differences(session, look), *dispatch_differences(session, look))


def people_differ(session: Session, look: Look) -> bool:
    """Whether a look shows other people than the record counts, and no webhook has told more since."""
    if session.people_at > look.requested_at - LISTING_LAG:
        return False
    people = sum(p.is_person and p.active for p in look.participants)
    return people != session.people and not (people == 0 and not session.had_people)


def people_differences(session: Session, look: Look, held: frozenset[str]) -> Iterator[Fact]:
    """Who came and who left without our hearing of it. `held`: the participant sids that the store counts.

    By their sids, not by their number: whoever leaves next must be one of those who are counted.
    """
    if session.people_at > look.requested_at - LISTING_LAG:
        return
    listed = {p.sid: p for p in look.participants if p.is_person}
    there = {sid: p for sid, p in listed.items() if p.active}
    for sid, person in there.items():
        if sid not in held:
            yield PersonJoined(sid, person.identity, created_at=person.joined_at, source=Source.LISTING)
    for sid in sorted(held - listed.keys()):
        yield PersonLeft(sid, "", created_at=look.requested_at, source=Source.LISTING)
    if there.keys() == held and people_differ(session, look):
        yield PeopleCounted(len(held), look.requested_at)


def agent_differences(session: Session, look: Look) -> Iterator[Fact]:
    """Agents that came, left or became ready without our hearing of it."""
    known = {a.participant_sid: a for a in session.agents}
    for listed in look.participants:
        if listed.is_agent and listed.active and _is_news(known.get(listed.sid)):
            yield AgentJoined(
                participant_sid=listed.sid,
                identity=listed.identity,
                agent_name=listed.agent_name,
                joined_at=listed.joined_at,
                created_at=listed.joined_at,
                key=listed.key,
                ready=listed.ready,
                done=listed.done,
                warning=listed.warning,
                source=Source.LISTING,
            )
        elif listed.ready and listed.sid in known and not known[listed.sid].ready:
            yield AgentReady(listed.sid)
        if listed.warning and listed.sid in known and is_new_warning(session, agent_says(listed.agent_name, listed.warning)):
            yield AgentWarned(listed.sid, listed.warning)
    listed_sids = {p.sid for p in look.participants}
    for agent in session.agents:
        if agent.present and agent.participant_sid not in listed_sids and _may_contradict(look, agent):
            yield AgentLeft(
                participant_sid=agent.participant_sid,
                identity=agent.identity,
                agent_name=agent.agent_name,
                joined_at=agent.joined_at,
                created_at=look.requested_at,
                reason=NOT_LISTED,
                leave=LeaveReason.FAILURE,
                key=agent.key,
                source=Source.LISTING,
            )


def _is_news(known: Agent | None) -> bool:
    """Whether a listed agent is one that we do not hold as present; what only a listing lacked, a listing brings back."""
    return known is None or (not known.present and known.reason == NOT_LISTED)


def _may_contradict(look: Look, agent: Agent) -> bool:
    return agent.seen_at < look.requested_at - LISTING_LAG


def dispatch_differences(session: Session, look: Look) -> Iterator[Fact]:
    """Dispatches of ours that the record lacks, and jobs that tell something new."""
    attempts = {a.dispatch_id: (p, a) for p in session.placements for a in p.attempts if a.dispatch_id}
    for dispatch in look.dispatches:
        if dispatch.dispatch_id not in attempts:
            yield from _ours_unrecorded(session, dispatch)
        for job in dispatch.jobs:
            _, attempt = attempts.get(dispatch.dispatch_id, (None, None))
            if attempt is None or (attempt.job_id, attempt.job_status) != (job.job_id, job.status):
                yield JobChanged(
                    dispatch_id=dispatch.dispatch_id,
                    job_id=job.job_id,
                    agent_name=dispatch.agent_name,
                    status=job.status,
                    identity=job.identity,
                    key=dispatch.key,
                    error=job.error,
                )


def _ours_unrecorded(session: Session, dispatch: ListedDispatch) -> Iterator[Fact]:
    key = dispatch.key
    if key is None or key.session != session.sid:
        return
    for placement in session.placements:
        if placement.agent_name != key.placement:
            continue
        attempt = placement.attempt(key.attempt)
        if attempt is None:
            yield DispatchRecovered(
                placement.agent_name, key.attempt, key.attempt_id, dispatch.dispatch_id, dispatch.agent_name
            )
        elif attempt.attempt_id == key.attempt_id:
            yield DispatchAccepted(placement.agent_name, key.attempt, dispatch.dispatch_id, Source.LISTING)


def foreign_dispatch(session: Session, placement: Placement, look: Look) -> ListedDispatch | None:
    """A dispatch of exactly the wanted name that somebody else made, and that may be adopted.

    Every room that was made without agents lists one with an empty name: it counts only for a placement that wants
    the nameless agent.
    """
    if placement.adopted_before:
        return None
    recorded = {a.dispatch_id for p in session.placements for a in p.attempts}
    return next(
        (
            d
            for d in look.dispatches
            if d.agent_name == placement.spec.agent_name and d.key is None and d.dispatch_id not in recorded
        ),
        None,
    )


def unproven(session: Session) -> tuple[Agent, ...]:
    """Agents that some placement wants and that must answer before they count.

    Those are the ones that only a listing showed, those that fell silent, and all where the policy asks for an answer.
    """
    return tuple(a for a in session.agents if a.present and any(_must_answer(session, p, a) for p in session.placements))


def _must_answer(session: Session, placement: Placement, agent: Agent) -> bool:
    only_listed = agent.source is Source.LISTING or placement.policy.verify_at > Proof.JOINED
    unanswered = agent.answered_at is None and not agent.unaskable and only_listed
    # A silent one of ours is about to be removed: nobody waits for its answer.
    needed = unanswered or (agent.silent_at is not None and agent.identity not in session.retired)
    return needed and placement.wanting and belongs(session, placement, agent)


def cause_so_far(attempt: Attempt, look: Look | None, *, final: bool) -> Cause | None:
    """Why this attempt will not come to anything, as far as the evidence says; None: it may yet.

    At the accept window's end (`final` false) a job that a worker took goes on; at the join window's end nothing does.
    `look` is None when LiveKit did not answer: unknown is never taken for absent.
    """
    if attempt.proof >= Proof.JOINED:
        return (Cause.SILENT if attempt.proof == Proof.JOINED else Cause.UNKNOWN) if final else None
    if attempt.job_status in (JobStatus.SUCCESS, JobStatus.FAILED) and not attempt.job_has_identity:
        return Cause.JOB_REJECTED
    if attempt.job_status is JobStatus.FAILED:
        return Cause.JOB_FAILED
    if attempt.aborted and final:
        return Cause.CONNECTION_ABORTED
    if attempt.job_id is not None:
        return Cause.NEVER_JOINED if final else None
    if look is None:
        return Cause.LIVEKIT_UNAVAILABLE if final else None
    if attempt.dispatch_id is None:
        return Cause.LIVEKIT_UNAVAILABLE  # the call's reply was lost, and no dispatch with our key is listed
    if all(d.dispatch_id != attempt.dispatch_id for d in look.dispatches):
        return Cause.DISPATCH_VANISHED
    return Cause.NOT_TAKEN
