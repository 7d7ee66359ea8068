"""What was said in a session: kept only where a persona asks for it, for a day, and never in logs."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Said:
    """One item of a conversation, as the agent's worker tells it."""

    item_id: str
    agent_name: str
    role: Role
    text: str
    at: float
    """The worker's clock, Unix seconds."""
    interrupted: bool = False
