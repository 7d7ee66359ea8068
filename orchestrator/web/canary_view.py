"""A canary as people see it: the JSON of GET /canaries."""

from typing import Literal

from orchestrator.core.canary import By, Canary
from orchestrator.core.causes import Cause
from orchestrator.web.answers import View
from orchestrator.web.times import Time


class CanarySeconds(View):
    """From the call of its dispatch. Seen in listings: up to 0.1 s late, and later when the API budget is short."""

    joined: float | None
    """Until it was seen in the room; null: it never was."""
    answered: float | None
    """Until it had answered; null: it did not, or this server cannot ask it."""


class CanaryView(View):
    """What came of one canary: of an agent that was dispatched into a scratch room."""

    agent_name: str
    outcome: Literal["answering", "failed"]
    """`answering`: it joined and answered."""
    cause: Cause | None
    """Why it failed."""
    detail: str
    """What was seen, in a sentence."""
    fix: str | None
    room: str
    """Its scratch room, which is gone."""
    at: Time
    """When it was begun."""
    seconds: CanarySeconds
    by: By
    """`schedule`, or an `operator`."""


class CanaryList(View):
    """The last canary of each agent name, for seven days."""

    canaries: tuple[CanaryView, ...]


def canary_view(canary: Canary) -> CanaryView:
    return CanaryView(
        agent_name=canary.agent_name,
        outcome="failed" if canary.cause is not None else "answering",
        cause=canary.cause,
        detail=canary.detail,
        fix=canary.fix,
        room=canary.room,
        at=canary.at,
        seconds=CanarySeconds(joined=_rounded(canary.joined), answered=_rounded(canary.answered)),
        by=canary.by,
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
