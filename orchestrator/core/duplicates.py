"""Two agents where one should be: which of them goes.

The rules, none of which ever touches the verified agent but the last:

* An extra that a dispatch with our key explains goes, whatever its number.
* An extra that no listed dispatch explains, six seconds after it joined, in a room where we deleted a dispatch, is an
  orphan of ours (a job that waited for its process outlives its dispatch) and goes.
* Where the placement is over, so does one that may be of an attempt whose agent was never known.
* A foreign dispatch explains the agent of its job, or, without a listed job, one agent, which may be the serving one.
  A foreign agent that serves beside ours stays; then ours goes.
"""

from dataclasses import dataclass
from typing import Final

from orchestrator.core.belonging import attempt_behind, extras
from orchestrator.core.listing import ListedDispatch, Look
from orchestrator.core.placement import Placement
from orchestrator.core.policy import EARLY_LEAVE
from orchestrator.core.session import Agent, Session

SETTLED_AFTER: Final = 6.0
"""Seconds after which a job that will ever be listed is listed (the server may need 5 s)."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done about the extras of a session."""

    remove: tuple[Agent, ...] = ()
    foreign: tuple[tuple[Placement, Agent], ...] = ()
    """Foreign agents that serve beside ours."""
    strangers: tuple[tuple[Placement, Agent], ...] = ()
    """Foreign agents beside a foreign one that serves: none of ours, so they are only told of."""
    undecided: tuple[Agent, ...] = ()
    """To be looked at again, when their jobs must be listed."""


def judge(session: Session, look: Look, now: float) -> Judgement:
    """Who of the extras goes, stays, or must be looked at again. `look` is newer than the extras it judges."""
    remove: list[Agent] = []
    foreign: list[tuple[Placement, Agent]] = []
    strangers: list[tuple[Placement, Agent]] = []
    undecided: list[Agent] = []
    for placement, agent in extras(session):
        if _may_leave_at_once(session, placement, now):
            undecided.append(agent)
            continue
        settled = now - agent.seen_at >= SETTLED_AFTER
        dispatch = _dispatch_of(agent, look)
        if agent.identity in session.retired or _is_ours(session, placement, agent, dispatch):
            remove.append(agent)
        elif dispatch is not None:
            _beside(placement, agent, foreign, strangers)
        elif not settled:
            undecided.append(agent)
        elif _jobless_foreign_dispatches(placement, look) > _explained_by_them(session, placement, look, foreign + strangers):
            _beside(placement, agent, foreign, strangers)
        elif placement.deleted_some or _misses_some(placement):
            remove.append(agent)
    beside = tuple(of for of in strangers if not of[0].over)  # beside nobody one is no stranger
    return Judgement(tuple(remove), tuple(foreign), beside, tuple(undecided))


def surplus_dispatches(session: Session, placement: Placement, look: Look) -> tuple[ListedDispatch, ...]:
    """Dispatches with our key that do not belong to the attempt that serves, nor brought its agent."""
    serving = placement.serving_attempt
    return tuple(
        d
        for d in look.dispatches
        if d.key is not None
        and d.key.session == session.sid
        and d.key.placement == placement.agent_name
        and (serving is None or d.key.attempt != serving.number)
        and all(job.identity != placement.identity for job in d.jobs)
    )


def _may_leave_at_once(session: Session, placement: Placement, now: float) -> bool:
    """Whether the serving agent is one that was most likely told to leave: then nobody else goes before it has stayed."""
    agent = session.present_agent(placement.identity or "")
    attempt = placement.serving_attempt
    return agent is not None and attempt is not None and attempt.deleted and now - agent.seen_at < EARLY_LEAVE


def _dispatch_of(agent: Agent, look: Look) -> ListedDispatch | None:
    return next((d for d in look.dispatches if any(j.identity == agent.identity for j in d.jobs)), None)


def _is_ours(session: Session, placement: Placement, agent: Agent, dispatch: ListedDispatch | None) -> bool:
    if dispatch is not None:
        return dispatch.key is not None and dispatch.key.session == session.sid
    if agent.key is not None:
        return agent.key.session == session.sid
    attempt = attempt_behind(session, placement, agent)
    return attempt is not None and attempt.ours and attempt.identity == agent.identity


def _misses_some(placement: Placement) -> bool:
    """Whether nobody wants the agents of this placement any more, and of one of them nothing was ever seen."""
    return placement.over and any(a.ours and a.identity is None for a in placement.attempts)


def _jobless_foreign_dispatches(placement: Placement, look: Look) -> int:
    return sum(d.key is None and not d.jobs and d.agent_name in placement.names for d in look.dispatches)


def _explained_by_them(session: Session, placement: Placement, look: Look, told: list[tuple[Placement, Agent]]) -> int:
    """How many agents the jobless foreign dispatches explain already: each explains one."""
    agents = [agent for of, agent in told if of.agent_name == placement.agent_name]
    serving = session.present_agent(placement.identity or "")
    if serving is not None:
        attempt = attempt_behind(session, placement, serving)
        if attempt is not None and attempt.adopted:
            agents.append(serving)
    return sum(_dispatch_of(agent, look) is None for agent in agents)


def _beside(
    placement: Placement,
    agent: Agent,
    foreign: list[tuple[Placement, Agent]],
    strangers: list[tuple[Placement, Agent]],
) -> None:
    serving = placement.serving_attempt
    ours_gives_way = serving is not None and serving.ours and not any(p is placement for p, _ in foreign)
    (foreign if ours_gives_way else strangers).append((placement, agent))
