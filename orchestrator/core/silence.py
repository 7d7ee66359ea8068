"""When an agent that answers no more counts as gone, although LiveKit still lists it.

LiveKit keeps a killed agent ACTIVE for 21 s; it stops answering at once. But an agent may be frozen for a moment, and a
network cut for a few seconds: so silence must last. Only the participant's own silence counts; an answer that did not
come for a reason of the server's is none.
"""

from dataclasses import dataclass, replace

from orchestrator.core.belonging import attempt_behind
from orchestrator.core.listing import ListedDispatch, Look
from orchestrator.core.placement import Attempt
from orchestrator.core.session import Agent, Session


@dataclass(frozen=True, slots=True)
class Silence:
    """Questions in a row that the participant left unanswered. Times are seconds of one clock, whichever."""

    asked_at: float
    """When the first of them was sent."""
    questions: int = 1

    def goes_on(self) -> "Silence":
        """One more of them."""
        return replace(self, questions=self.questions + 1)

    def lasts(self, now: float, *, questions: int, patience: float) -> bool:
        """Whether it counts: at least so many questions, over at least `patience` seconds."""
        return self.questions >= questions and now - self.asked_at >= patience


def lost_with_its_node(session: Session, agent: Agent, look: Look | None) -> bool:
    """Whether an agent, of which LiveKit says that nobody takes questions for it, was on a node that is gone.

    So it is when the room was started again after the agent had come, or when a node answers for the room's dispatches
    and lacks the agent's own, which we did not delete. Where we do not know its dispatch, one with its job would be its
    own, or one of its name of which no job is listed. `look` is None when no node answered: then nothing is known.
    """
    if session.restarted_at > agent.seen_at:
        return True
    if look is None:
        return False
    for placement in session.placements:
        attempt = attempt_behind(session, placement, agent)
        if attempt is None or attempt.deleted:
            continue
        # An agent that no known dispatch explains may have come by one of ours that we deleted: then its absence is our doing.
        if attempt.dispatch_id is not None or not placement.deleted_some:
            return not any(_may_be_its_own(d, attempt, agent) for d in look.dispatches)
    return False


def _may_be_its_own(dispatch: ListedDispatch, attempt: Attempt, agent: Agent) -> bool:
    if attempt.dispatch_id is not None:
        return dispatch.dispatch_id == attempt.dispatch_id
    if not dispatch.jobs:
        return dispatch.agent_name == attempt.agent_name
    return any(job.identity == agent.identity for job in dispatch.jobs)
