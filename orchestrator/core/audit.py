"""What people, and whoever acts for them, did to sessions and agents: one line each, for whoever asks later who it was.

Never a secret, a token or metadata: an action, whom it was about, by which scope, and the reason that was given.
"""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    REDISPATCH = "redispatch"
    REDISPATCH_MANY = "redispatch_many"
    CANCEL = "cancel"
    RESOLVE = "resolve"
    ADD_AGENT = "add_agent"
    REMOVE_AGENT = "remove_agent"
    SWITCH_AGENT = "switch_agent"
    PAUSE = "pause"
    RESUME = "resume"
    CANARY = "canary"
    REPLAY = "replay"
    SILENCE = "silence"
    UNSILENCE = "unsilence"


@dataclass(frozen=True, slots=True)
class Deed:
    """One action, as it was asked for."""

    action: Action
    scope: str
    """Of the token with which it was asked for."""
    reason: str = ""
    room: str | None = None
    sid: str | None = None
    agent_name: str | None = None
    target: str | None = None
    """What else it was about, in words: the filter of many sessions, the matcher of a silence."""
    taken: int | None = None
    """How many placements or incidents it was about."""
    by: str | None = None
    """The person's name, where a proxy before us said it."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A deed with its place in the log. `at`: Unix seconds of the store's clock."""

    id: str
    at: float
    deed: Deed
