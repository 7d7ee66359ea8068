"""JSON bodies at the edge: read within bounds, checked against their model, refused with what is wrong and where."""

from typing import Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.core.naming import meant
from orchestrator.web.bodies import BodyBroken, BodyStalled, BodyTooLarge, read_body
from orchestrator.web.problems import problem

BODY_BYTES: Final = 256 * 1024
BODY_SECONDS: Final = 5.0
_SHOWN_ERRORS: Final = 5

REFUSALS: Final = {
    400: "The body is no JSON, or not of this form; `errors` says where.",
    408: "The body did not arrive in time.",
    413: "The body is larger than it may be.",
}
"""What `read_model` may answer, for the documents."""

_LONGEST_KEY: Final = 128

M = TypeVar("M", bound=BaseModel)


class Body(BaseModel):
    """A request's JSON body. A field that nobody knows is a typing error of the caller's, and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)


class Refused(Exception):
    """A request that is answered with this and not served."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


async def read_model(request: web.Request, model: type[M], *, at_most: int = BODY_BYTES) -> M:
    """The body as this model; an empty one is an empty object. Raises Refused."""
    body = await read_bytes(request, at_most=at_most)
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise Refused(malformed(error)) from error


async def read_bytes(request: web.Request, *, at_most: int = BODY_BYTES) -> bytes:
    """The whole body. Raises Refused."""
    try:
        return await read_body(request, at_most=at_most, within=BODY_SECONDS)
    except BodyTooLarge as error:
        raise Refused(problem(413, "Content Too Large", f"At most {at_most} bytes are taken.")) from error
    except BodyStalled as error:
        response = problem(408, "Request Timeout", f"The body did not arrive within {BODY_SECONDS:g} s.")
        response.force_close()
        raise Refused(response) from error
    except BodyBroken as error:
        raise Refused(problem(400, "Bad Request", "The body broke off.")) from error


def malformed(error: ValidationError) -> web.Response:
    """Where and what, without the values: they may be somebody's metadata."""
    errors = [
        {"field": ".".join(str(part) for part in found["loc"]), "message": found["msg"]}
        for found in error.errors(include_input=False, include_url=False, include_context=False)[:_SHOWN_ERRORS]
    ]
    first = errors[0]
    where = f"{first['field']}: " if first["field"] else ""
    return problem(400, "Bad Request", f"{where}{first['message']}", errors=errors)


def idempotency_key(request: web.Request) -> str | None:
    """What names a request that is repeated. Raises Refused."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Refused(problem(400, "Bad Request", f"Idempotency-Key: 1 to {_LONGEST_KEY} printable ASCII characters."))
    return key


def agent_asked_for(request: web.Request) -> str:
    """The agent name in an address."""
    return meant(request.match_info["agent"])
