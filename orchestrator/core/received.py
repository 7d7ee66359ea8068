"""A webhook as it is remembered for a while: what came, and what became of it. Never a secret, nor the values of metadata."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """One request to the door for webhooks."""

    at: float
    """When it came. Unix seconds of the store's clock."""
    outcome: str
    """As its metric is labelled: stored, duplicate, ignored, unavailable; forged, malformed, and so on."""
    bytes: int
    """Of its body, as far as that is known."""
    event: str | None = None
    room: str | None = None
    sid: str | None = None
    event_id: str | None = None
    reason: str | None = None
    key: str | None = None
    """The API key that signed it."""
    body: dict[str, Any] | None = None
    """Redacted. None: it was refused, or too large to be kept."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One that is kept, under the id by which it is found."""

    id: str
    received: Received
