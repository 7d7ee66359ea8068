"""One row per route: where it is, who may call it, what it answers.

The router, the authorization and the OpenAPI document are all made of these rows.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from orchestrator.configuration.credentials import Scope
from orchestrator.core.naming import UNNAMED
from orchestrator.web import filters, problems, requests

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Problem(BaseModel):
    """An error, as RFC 9457 says. Some have further members."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a route. Without a model its body is empty, or of no kind that a schema describes."""

    description: str
    model: type[BaseModel] | None = None
    media_type: str | None = "application/json"


def refusal(description: str) -> Answer:
    return Answer(description, Problem, problems.CONTENT_TYPE)


UNAVAILABLE: Final = refusal("The store cannot be reached; ask again after Retry-After seconds.")
PROTECTED: Final = {
    401: refusal("A bearer token, or a login, is needed."),
    403: refusal("The token or login has another scope, or a login's X-Rollcall-CSRF is missing."),
}
"""What every route of a scope may answer."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`place` is `path` or `query`."""

    name: str
    place: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Route:
    """`scope` None: anybody may call it. Of several, one suffices."""

    method: str
    path: str
    handler: Handler
    scope: Scope | tuple[Scope, ...] | None
    name: str
    summary: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    accepts: type[BaseModel] | None = None
    """The model of its JSON body."""
    sees_to_scope: bool = False
    """The handler itself sees to who may, and others may as well: `scope` is what the documents say."""
    body: Mapping[str, Any] | None = None
    """The OpenAPI request body of one that accepts no JSON of a model."""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        match self.scope:
            case None:
                return ()
            case Scope():
                return (self.scope,)
            case _:
                return self.scope


# --- what many rows have in common ----------------------------------------------------------------

BODY_REFUSALS: Final = {status: refusal(description) for status, description in requests.REFUSALS.items()}
"""What every route that accepts a model may answer."""

ROOM: Final = Parameter("room", "path", "A room's name or sid, as one percent-encoded segment.")
AGENT: Final = Parameter("agent", "path", f"An agent name, as one percent-encoded segment; `{UNNAMED}`: the empty one.")
CURSOR: Final = Parameter("cursor", "query", "The `cursor` of the page before.")
REPEATABLE: Final = Parameter(
    "Idempotency-Key",
    "header",
    "The same request with the same key does nothing twice, for a day.",
    {"type": "string", "minLength": 1, "maxLength": 128},
)


def limit_parameter(description: str, *, most: int = filters.MOST, usual: int = filters.USUAL) -> Parameter:
    """How many of a list are asked for."""
    return Parameter("limit", "query", description, {"type": "integer", "minimum": 1, "maximum": most, "default": usual})
