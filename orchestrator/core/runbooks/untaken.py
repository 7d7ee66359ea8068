"""Nobody took the job."""

from typing import Final

from orchestrator.core.causes import Cause
from orchestrator.core.runbooks.runbook import Runbook

_WAITING: Final = (
    "The caller is in the room and nobody answers, unless a fallback serves. While people are there, one attempt a minute "
    "goes on."
)
_OVER: Final = (
    "`rollcall explain support-18` says verified, and the alert resolves by itself. A worker that comes later is found by "
    "the next attempt; `rollcall redispatch support-18` does not wait for it."
)

UNTAKEN: Final[dict[Cause, Runbook]] = {
    Cause.NOT_TAKEN: Runbook(
        callers=_WAITING,
        look=("rollcall explain support-18", "rollcall agents mary", "rollcall sessions --cause not_taken"),
        check=(
            "How many rooms? `rollcall sessions --cause not_taken`. One room among many that are well: go to step 4.",
            "Does a worker run under exactly this name? Capitals and spaces count. `rollcall agents mary` knows those that "
            "announce "
            "themselves; for the others look where they run.",
            "Is it registered with this LiveKit project? Its log says `registered worker` and the address; it must be the "
            "`LIVEKIT_URL` of Rollcall.",
            "Has it room left? LiveKit passes over workers whose load is above their threshold (0.7 of the CPU by default), in "
            "silence. Look at the CPU of its machine, and in LiveKit's log for `no workers with sufficient capacity`.",
            "Does its request function refuse, or take longer than 3 s to answer? LiveKit waits no longer, and tells nobody.",
        ),
        mend="Start workers, correct the name, or add machines. For all rooms at once: "
        "`rollcall redispatch --cause not_taken --since 30m`.",
        over=_OVER,
        escalate="Workers are registered, have room, and still take no job: to whoever runs LiveKit, with the room and the "
        "dispatch ids that `rollcall show support-18` lists.",
    ),
    Cause.NO_WORKER: Runbook(
        callers=_WAITING,
        look=("rollcall agents mary", "rollcall explain support-18"),
        check=(
            "When was the last worker there? `rollcall agents mary` says it. Was there a deployment at that time?",
            "Did the workers end (log, memory, image that cannot be pulled), or do they run and cannot reach LiveKit?",
            "Is the name in the route right? `rollcall agents` names those that look like it.",
        ),
        mend="Start the workers, or roll the deployment back. A worker that arrives wakes whoever waits for its name.",
        over=_OVER,
        escalate="The workers cannot be started within ten minutes: to the team that owns the agent. Meanwhile a fallback in "
        "rollcall.yaml serves callers.",
    ),
    Cause.WORKER_FULL: Runbook(
        callers=_WAITING,
        look=("rollcall agents mary", "rollcall sessions --agent mary --limit 20"),
        check=(
            "Full or draining? `rollcall agents mary` shows each worker with its jobs and its load.",
            "Are there more calls than usual, or fewer workers? A deployment that drains all old workers at once looks like "
            "this.",
            "Do calls end? Agents that stay in rooms without people hold their places.",
        ),
        mend="Add workers, or raise their load threshold if the machines have room.",
        over=_OVER,
        escalate="More workers are full at once, too: to the team that owns the agent; its calls are longer or heavier than "
        "before.",
    ),
}
