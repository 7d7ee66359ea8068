"""Words that several facts share."""

from enum import StrEnum


class Source(StrEnum):
    """Where a fact comes from, as the timeline shows it."""

    WEBHOOK = "webhook"
    LISTING = "listing"
    PULSE = "pulse"
    ROLLCALL = "rollcall"
    OPERATOR = "operator"
    TOKEN = "token"  # noqa: S105 a word, no secret
    """A person asked for a token, and for an agent with it."""
    WORKER = "worker"
    """An agent asked for another one, to hand its people over."""


class JobStatus(StrEnum):
    """LiveKit's job status. It explains; it never proves."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class LeaveReason(StrEnum):
    """LiveKit's disconnect reason, in the classes that decide what follows."""

    GOODBYE = "goodbye"
    FAILURE = "failure"
    WISH = "wish"
    NO_LOSS = "no_loss"
