"""What is sent to, and answered by, the routes of operators."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from orchestrator.configuration.values import duration
from orchestrator.core.audit import Action
from orchestrator.core.placement import PlacementState
from orchestrator.web.answers import View
from orchestrator.web.requests import Body
from orchestrator.web.times import Time
from orchestrator.web.token_request import LONGEST_NAME

LONGEST_REASON: Final = 500

Reason = Annotated[str, Field(max_length=LONGEST_REASON, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
"""Words of a person, which the timeline and the audit log show."""


_A_MONTH: Final = 30 * 86_400
"""Seconds. What is meant to last longer belongs into the configuration."""

ForAWhile = Annotated[
    float, BeforeValidator(duration, json_schema_input_type=float | str), Field(gt=0, le=_A_MONTH, allow_inf_nan=False)
]
"""Seconds, or as text: `30m`."""


class RedispatchRequest(Body):
    """A new round of attempts, now."""

    agent_name: Annotated[str, Field(max_length=LONGEST_NAME)] | None = None
    """Of which agent; null: of all that the session has not done with."""
    reason: Reason = ""


class ReasonRequest(Body):
    """Why."""

    reason: Reason = ""


class ResolveRequest(Body):
    """A person sees to it."""

    agent_name: Annotated[str, Field(max_length=LONGEST_NAME)] | None = None
    """Whose incident; null: every one that is open."""
    note: Reason = ""


class TakenPlacement(View):
    agent_name: str
    was: PlacementState
    """Its state before."""


class TakenSession(View):
    """What was asked for a session, whose owner does it now."""

    room: str
    sid: str
    taken: tuple[TakenPlacement, ...]
    repeated: bool = False
    """The same request was served before, and nothing was done again."""


class TakenIncident(View):
    agent_name: str
    incident: str


class ResolvedSession(View):
    """The incidents that a person sees to."""

    room: str
    sid: str
    taken: tuple[TakenIncident, ...]
    repeated: bool = False
    """The same request was served before, and nothing was done again."""


class TakenSessions(View):
    """What was asked for many sessions."""

    matched: int
    """Sessions that the filter found."""
    taken: int
    skipped: int
    """Those of which nothing was taken: all their agents are there, or nobody waits for one."""
    sessions: tuple[TakenSession, ...]
    cursor: str | None
    """Where to go on; null: there are no more."""


class AuditView(View):
    id: str
    at: Time
    action: Action
    scope: str
    """Of the token with which it was asked for."""
    reason: str
    room: str | None
    sid: str | None
    agent_name: str | None
    target: str | None
    """What else it was about: the filter of many sessions, the matcher of a silence."""
    taken: int | None
    """How many placements or incidents it was about."""
    by: str | None
    """The person's name, where a proxy before us said it."""


class AuditList(View):
    """What was done, newest first."""

    entries: tuple[AuditView, ...]
    cursor: str | None
    """Where to go on; null: there are no more."""
