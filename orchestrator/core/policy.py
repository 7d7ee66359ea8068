"""How hard a placement is tried: windows, backoff, deadlines, and what to do when an agent leaves.

All durations are seconds.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.core.proof import Proof

BACKOFF_FACTOR: Final = 2.0

_MOST_DOUBLINGS: Final = 30
"""More than lie between any first wait and any cap, and few enough for a float."""

EARLY_LEAVE: Final = 5.0
"""An agent that leaves sooner after it joined has failed its attempt; it never served."""


class OnLeave(StrEnum):
    """What to do when a verified agent leaves while people are in the room."""

    REPLACE = "replace"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of one placement, as `rollcall.yaml` gives it. The defaults carry their reasons in the design's table."""

    attempts: int = 6
    accept_window: float = 6.0
    """From the call until a job must be listed: the server may need 5 s to learn of a worker, and asks it for 3 s.
    0 switches the look at its end off (LiveKit Cloud, where job listing is not measured)."""
    join_window: float = 15.0
    """From the call until the agent must be in the room: a worker that took the job must start a process."""
    deadline: float = 90.0
    """From when the agent was wanted until a person must know."""
    verify_at: Proof = Proof.JOINED
    on_leave: OnLeave = OnLeave.REPLACE
    goodbye_grace: float = 15.0
    """How long after an agent's goodbye it is replaced, if people are still there: a hang-up follows a goodbye."""
    replacements: int = 5
    """How many lost agents of one placement are replaced in one session."""
    keep_trying: float = 60.0
    """The period of further attempts while unverified and people are there; 0: none."""
    wait_for_people: bool = False
    backoff: float = 1.0
    """The longest wait after the first attempt; it doubles with each further one."""
    backoff_cap: float = 15.0


def backoff_ceiling(policy: Policy, failures: int) -> float:
    """The longest wait before the next attempt after so many failed ones; the wait itself is drawn below it (full jitter)."""
    doublings = min(max(failures, 1) - 1, _MOST_DOUBLINGS)
    return min(policy.backoff_cap, policy.backoff * BACKOFF_FACTOR**doublings)


def candidate_deadline(policy: Policy, wanted_at: float, fallbacks_left: int) -> float:
    """Until when the present candidate may start attempts: each fallback behind it keeps one join window of the deadline.

    Without this share the last fallback's alert would come a join window per fallback after the deadline.
    """
    return wanted_at + max(policy.deadline - fallbacks_left * policy.join_window, 0.0)
