"""Why an attempt was not confirmed, or an agent was lost: the closed list.

Each cause has, in one table, a sentence that says no more than is known, the likely fix, whether another attempt can
help, and the anchor of its runbook.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.core.naming import spelled


class Cause(StrEnum):
    NOT_TAKEN = "not_taken"
    NO_WORKER = "no_worker"
    WORKER_FULL = "worker_full"
    JOB_REJECTED = "job_rejected"
    JOB_FAILED = "job_failed"
    NEVER_JOINED = "never_joined"
    CONNECTION_ABORTED = "connection_aborted"
    JOINED_THEN_LEFT = "joined_then_left"
    LEFT = "left"
    SILENT = "silent"
    NODE_LOST = "node_lost"
    DISPATCH_VANISHED = "dispatch_vanished"
    ROOM_GONE = "room_gone"
    ROOM_EMPTY = "room_empty"
    LIVEKIT_UNAVAILABLE = "livekit_unavailable"
    LIVEKIT_REJECTED_CREDENTIALS = "livekit_rejected_credentials"
    LIVEKIT_REJECTED_REQUEST = "livekit_rejected_request"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person on call is told about a cause. `{agent}` stands for the agent name."""

    sentence: str
    fix: str
    retryable: bool
    """Whether another attempt in the same room can help."""


UNTAKEN: Final = frozenset({Cause.NOT_TAKEN, Cause.NO_WORKER, Cause.WORKER_FULL})
"""No worker took the job: the kind of loss that a burst causes, and from which pacing learns."""

EXPLANATIONS: Final[dict[Cause, Explanation]] = {
    Cause.NOT_TAKEN: Explanation(
        (
            "No worker took the job of {agent}: none is registered under that name, all are full or refusing, or "
            "they answered too late. LiveKit's API cannot tell which."
        ),
        (
            "Check that a worker is running with exactly the agent name {agent}, against the same LiveKit "
            "project, and that its load is below its threshold."
        ),
        retryable=True,
    ),
    Cause.NO_WORKER: Explanation(
        "No worker answers to the name {agent}: those that announced themselves under it are gone.",
        (
            "Start a worker with exactly the agent name {agent}, or correct the name in the route; "
            "GET /agents tells when the last one was there."
        ),
        retryable=True,
    ),
    Cause.WORKER_FULL: Explanation(
        "Every announced worker of {agent} is full or draining.",
        "Add workers for {agent}, or raise their load threshold if the machines have room.",
        retryable=True,
    ),
    Cause.JOB_REJECTED: Explanation(
        "A worker of {agent} rejected the job.",
        "Look at the request function of the worker of {agent}: it refused this job.",
        retryable=True,
    ),
    Cause.JOB_FAILED: Explanation(
        "The job of {agent} failed before its agent was in the room.",
        "Look into the log of the worker of {agent} for the job's error.",
        retryable=True,
    ),
    Cause.NEVER_JOINED: Explanation(
        "A worker took the job of {agent}, but its agent did not join the room in time.",
        (
            "Look into the log of the worker of {agent} for this job: it crashed, raised, did not connect, or "
            "needs longer to start than the join window."
        ),
        retryable=True,
    ),
    Cause.CONNECTION_ABORTED: Explanation(
        "The agent {agent} began to connect, and its connection was aborted before it was in the room.",
        "Check that the worker of {agent} reaches LiveKit's media ports (UDP, TCP or TURN).",
        retryable=True,
    ),
    Cause.JOINED_THEN_LEFT: Explanation(
        "The agent {agent} joined and left again within seconds.",
        ("Look into the log of the worker of {agent}: its entrypoint ends, or fails, right after it has connected."),
        retryable=True,
    ),
    Cause.LEFT: Explanation(
        "The agent {agent} left the room.",
        ("Look into the log of the worker of {agent} at that moment: a restart, a deployment or an error ended its call."),
        retryable=True,
    ),
    Cause.SILENT: Explanation(
        "The agent {agent} is listed in the room, but answers no more.",
        "Look at the worker of {agent}: its process was killed, is stopped, or lost its network.",
        retryable=True,
    ),
    Cause.NODE_LOST: Explanation(
        "The LiveKit node that served the room is gone; what LiveKit still lists of {agent} is a remnant.",
        "Check the LiveKit nodes; if the remnant disturbs, delete the room in LiveKit.",
        retryable=True,
    ),
    Cause.DISPATCH_VANISHED: Explanation(
        "The dispatch of {agent} disappeared from LiveKit, and nobody here deleted it.",
        "Find out who else deletes dispatches in this LiveKit project.",
        retryable=True,
    ),
    Cause.ROOM_GONE: Explanation(
        "The room was closed before its agent {agent} was there.",
        "Nothing to do if the caller hung up; otherwise look at who closes the room.",
        retryable=False,
    ),
    Cause.ROOM_EMPTY: Explanation(
        "Everybody had left before the agent {agent} was there.",
        "Nothing to do for this room; if it happens often, look at the time to agent.",
        retryable=False,
    ),
    Cause.LIVEKIT_UNAVAILABLE: Explanation(
        "LiveKit's API did not answer, or answered with an error of its own, when {agent} was dispatched.",
        "Check that LIVEKIT_URL is reachable from here, and the health of the LiveKit server.",
        retryable=True,
    ),
    Cause.LIVEKIT_REJECTED_CREDENTIALS: Explanation(
        "LiveKit refused our API key or secret.",
        ("Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a pair of this project, and compare the clocks of both machines."),
        retryable=False,
    ),
    Cause.LIVEKIT_REJECTED_REQUEST: Explanation(
        "LiveKit refused the dispatch of {agent} as invalid.",
        "Look at the agent name and the size of its metadata in rollcall.yaml.",
        retryable=False,
    ),
    Cause.UNKNOWN: Explanation(
        "Why {agent} did not come is not known: the evidence was lost, or no attempt could be made.",
        "Look at the session's timeline, and at this replica's log around that time.",
        retryable=True,
    ),
}


def sentence(cause: Cause, agent_name: str) -> str:
    return EXPLANATIONS[cause].sentence.replace("{agent}", spelled(agent_name))


def fix(cause: Cause, agent_name: str) -> str:
    return EXPLANATIONS[cause].fix.replace("{agent}", spelled(agent_name))


def many_rooms(cause: Cause | None, agent_name: str, rooms: int) -> str:
    """What is said of rooms that lack the same agent for the same cause."""
    lacking = f"{rooms} room lacks" if rooms == 1 else f"{rooms} rooms lack"
    said = f"{lacking} {spelled(agent_name)}."
    return said if cause is None else f"{said} {sentence(cause, agent_name)}"


def retryable(cause: Cause) -> bool:
    return EXPLANATIONS[cause].retryable


def runbook_anchor(cause: Cause) -> str:
    """The fragment under which the runbook of a cause is found."""
    return cause.value.replace("_", "-")
