"""The agent was there, and is not any more; or LiveKit's memory of it is wrong."""

from typing import Final

from orchestrator.core.causes import Cause
from orchestrator.core.runbooks.runbook import Runbook

_REPLACED: Final = (
    "Somebody's conversation broke off. A new agent is on its way at once and is told what it resumes; the caller hears a "
    "pause of "
    "some seconds."
)
_OVER: Final = "`rollcall explain support-18` says verified, with another identity than before."
_LOOK: Final = ("rollcall explain support-18", "rollcall show support-18")

LOST: Final[dict[Cause, Runbook]] = {
    Cause.LEFT: Runbook(
        callers=_REPLACED,
        look=_LOOK,
        check=(
            "Many at the same moment: a worker was restarted or deployed. Its grace period must be as long as its calls.",
            "One: the worker's log at that second. An error, or a goodbye of its own?",
            "A goodbye that was meant: the agent should say `await roll.done()`, then nobody replaces it.",
        ),
        mend="Nothing, if the new agent is there. Otherwise as its newest attempt's cause says.",
        over=_OVER,
        escalate="It happens again and again in many rooms: to the team that owns the agent.",
    ),
    Cause.SILENT: Runbook(
        callers="The agent is in the room and says nothing. It is taken out and replaced within 12 s of its last sign of life.",
        look=(*_LOOK, "rollcall agents mary"),
        check=(
            "Was the worker's process killed (out of memory, node drained)? Then other rooms of the same worker are silent, "
            "too.",
            "Does its event loop stand still? With our `worker.attach` a blocked loop is silent: look for calls that block.",
            "Are many agents silent at once, of several workers? Then suspect the network between LiveKit and the workers; "
            "Rollcall takes nobody out while LiveKit itself does not answer.",
        ),
        mend="Replace the machine or the network; move what blocks into a thread (`asyncio.to_thread`).",
        over=_OVER,
        escalate="Agents go silent again after their replacement: to the team that owns the agent; by the dozen: to whoever "
        "runs "
        "the cluster.",
    ),
    Cause.NODE_LOST: Runbook(
        callers="The call broke off: the LiveKit node that carried it is gone. Whoever calls again gets another node.",
        look=(*_LOOK, "rollcall doctor --no-canary"),
        check=(
            "Are all LiveKit nodes up? Which one went, and why?",
            "Does LiveKit still list the room and its agent? It does for good, after a crash with its state in Redis. Rollcall "
            "counts nobody whom it cannot ask.",
        ),
        mend="Start the node again. What remains listed disturbs nobody; to remove it, delete the room in LiveKit.",
        over="New calls are verified, and `rollcall sessions --cause node_lost` shows no new ones.",
        escalate="Nodes go one after the other: to whoever runs LiveKit, at once.",
    ),
    Cause.DISPATCH_VANISHED: Runbook(
        callers="The caller waits for the next attempt, which follows within seconds.",
        look=_LOOK,
        check=(
            "Who else calls DeleteDispatch in this LiveKit project? A script that cleans up, a second Rollcall with the same "
            "keys?",
            "Was the LiveKit server restarted? Without Redis it forgets rooms and dispatches.",
        ),
        mend="Stop whoever deletes them. Two Rollcalls for one project must share one Redis.",
        over=_OVER,
        escalate="Nobody is known to delete dispatches: to whoever runs LiveKit, with the dispatch ids.",
    ),
    Cause.ROOM_GONE: Runbook(
        callers="Usually none: the caller hung up before the agent was there.",
        look=("rollcall sessions --cause room_gone", "rollcall show support-18"),
        check=(
            "How long did people wait? `rollcall show support-18` shows the gaps. Many who hang up after a few seconds: the "
            "agent "
            "comes too late.",
            "Does a program close rooms (DeleteRoom), or is `empty_timeout` very short?",
        ),
        mend="Nothing for this room. Look at the time to agent if there are many.",
        over="The share of rooms that end so is as it was before.",
        escalate="Not at night.",
    ),
    Cause.ROOM_EMPTY: Runbook(
        callers="None any more: everybody had left before the agent was there.",
        look=("rollcall sessions --cause room_empty", "rollcall show support-18"),
        check=("How long did people wait? The gaps in `rollcall show support-18` tell, and the dashboard's *Time to agent*.",),
        mend="Nothing for this room. If it happens often, the agent comes too late: more workers, or processes that wait.",
        over="The share of rooms that end so is as it was before.",
        escalate="Not at night.",
    ),
}
