"""How sure are we that an agent is there: the levels of proof, and which participant is which agent."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from orchestrator import contract


class Proof(IntEnum):
    """How sure we are; each level includes those below. `accepted` proves nothing to a user."""

    NONE = 0
    REQUESTED = 1
    ACCEPTED = 2
    JOINED = 3
    ANSWERING = 4
    READY = 5

    @property
    def label(self) -> str:
        return self.name.lower()


_MOST_DIGITS: Final = 9
"""Of an attempt's number: attributes come from outside, and a number without bounds fits into no store."""


@dataclass(frozen=True, slots=True)
class Key:
    """Our mark on a dispatch, by which we know it again: in its attributes, and in its metadata under one reserved key."""

    session: str
    placement: str
    attempt: int
    attempt_id: str

    def attributes(self) -> dict[str, str]:
        return {
            contract.SESSION_ATTRIBUTE: self.session,
            contract.PLACEMENT_ATTRIBUTE: self.placement,
            contract.ATTEMPT_ATTRIBUTE: str(self.attempt),
            contract.ATTEMPT_ID_ATTRIBUTE: self.attempt_id,
        }

    def reserved(self) -> dict[str, object]:
        """The value of the reserved key in the job metadata."""
        return {
            "session": self.session,
            "placement": self.placement,
            "attempt": self.attempt,
            "attempt_id": self.attempt_id,
        }

    @classmethod
    def read(cls, attributes: Mapping[str, str]) -> "Key | None":
        """The key in a dispatch's or participant's attributes; None when there is none, or it is not whole."""
        number = attributes.get(contract.ATTEMPT_ATTRIBUTE, "")
        if not (number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
            return None
        try:
            return cls(
                session=attributes[contract.SESSION_ATTRIBUTE],
                placement=attributes[contract.PLACEMENT_ATTRIBUTE],
                attempt=int(number),
                attempt_id=attributes[contract.ATTEMPT_ID_ATTRIBUTE],
            )
        except KeyError:
            return None

    @classmethod
    def read_reserved(cls, metadata: object) -> "Key | None":
        """The key in a dispatch's decoded JSON metadata: how servers before 1.13.2 carry it."""
        reserved = metadata.get(contract.RESERVED_KEY) if isinstance(metadata, dict) else None
        if not isinstance(reserved, dict):
            return None
        session, placement, attempt_id = (reserved.get(part) for part in ("session", "placement", "attempt_id"))
        attempt = reserved.get("attempt")
        if not (isinstance(session, str) and isinstance(placement, str) and isinstance(attempt_id, str)):
            return None
        if type(attempt) is not int or not 0 <= attempt < 10**_MOST_DIGITS:
            return None
        return cls(session, placement, attempt, attempt_id)


LONGEST_WARNING: Final = 500
"""Characters of an agent's warning that are kept."""

AGENT_IDENTITY_PREFIX: Final = "agent-"


def identity_of_job(job_id: str) -> str:
    """The identity with which a job's agent joins, unless its worker chose another (livekit-agents)."""
    return AGENT_IDENTITY_PREFIX + job_id


def job_of_identity(identity: str) -> str | None:
    """The job that an agent with the default identity came from."""
    job_id = identity.removeprefix(AGENT_IDENTITY_PREFIX)
    return job_id if job_id.startswith("AJ_") and job_id != identity else None


def agent_name_of(attributes: Mapping[str, str]) -> str | None:
    """The agent name that the server or the SDK stamped on a participant; None when neither did."""
    for attribute in contract.AGENT_NAME_ATTRIBUTES:
        if attribute in attributes:
            return attributes[attribute]
    return None


def warning_in(attributes: Mapping[str, str]) -> str:
    """What an agent says of itself that a person must know; cut, for it comes from outside."""
    return attributes.get(contract.WARNING_ATTRIBUTE, "")[:LONGEST_WARNING]


def is_ready(attributes: Mapping[str, str]) -> bool:
    """Whether an agent's own attributes say that it serves."""
    if attributes.get(contract.READY_ATTRIBUTE):
        return True
    return attributes.get(contract.AGENT_STATE_ATTRIBUTE, "initializing") != "initializing"
