"""What is sent to, and answered by, the routes on which an agent is added or switched."""

from typing import Annotated, Any, Final

from pydantic import Field

from orchestrator.core.placement import PlacementState
from orchestrator.web.answers import View
from orchestrator.web.requests import Body
from orchestrator.web.token_request import LONGEST_NAME, Attributes, Name

LONGEST_GRACE: Final = 60.0


class AgentRequest(Body):
    """An agent that a room is to have, beside those of its route."""

    agent_name: Annotated[str, Field(max_length=LONGEST_NAME)]
    metadata: dict[str, Any] | str | None = None
    """The job's metadata; text that is no JSON object arrives under the key `metadata`."""
    attributes: Attributes = Field(default_factory=dict)
    """Further attributes of the dispatch. None may begin with `lk.` or `rollcall.`."""
    deployment: Name = ""
    """The deployment of the agent that is to take the job."""


class SwitchRequest(Body):
    """An agent that takes another one's place."""

    agent_name: Annotated[str, Field(max_length=LONGEST_NAME)]
    instead_of: Annotated[str, Field(max_length=LONGEST_NAME)] | None = None
    """Whose place it takes; null where the session has one agent only."""
    metadata: dict[str, Any] | str | None = None
    grace: Annotated[float, Field(ge=0, le=LONGEST_GRACE)] = 0.0
    """Seconds for which the other one may stay beside it, to introduce it; a second at the least, for clients to see it."""


class _Placed(View):
    room: str
    sid: str
    agent_name: str
    state: PlacementState
    dispatch_id: str | None
    """Null while no dispatch was accepted yet."""
    identity: str | None
    """The participant that serves; null while none does."""


class AgentAnswer(_Placed):
    """An agent that a room is to have."""

    room_existed: bool


class SwitchAnswer(_Placed):
    """An agent that takes another one's place."""

    instead_of: str
