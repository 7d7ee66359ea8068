"""The outermost middleware: whatever goes wrong becomes an answer that says no more than a stranger may know."""

from typing import Final

import structlog
from aiohttp import web

from orchestrator.runtime.ports import StoreUnavailable
from orchestrator.web.filters import BadFilter, bad_request
from orchestrator.web.problems import problem
from orchestrator.web.requests import Refused
from orchestrator.web.routes import Handler

log = structlog.get_logger()

RETRY_AFTER: Final = 2
"""Seconds. A store that fails over is back within a few."""

_DETAILS: Final = {
    404: "There is no such address here.",
    413: "The body is larger than it may be.",
}


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever a handler raises is answered as problem+json; what nobody foresaw is a 500 that shows nothing."""
    try:
        return await handler(request)
    except Refused as refused:
        return refused.response
    except BadFilter as bad:
        return bad_request(bad)
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004  # HTTP's own boundary: what lies below is no error
            raise
        return _refused(error)
    except StoreUnavailable as error:
        log.warning("request_without_store", method=request.method, route=_route(request), error=str(error))
        return problem(
            503,
            "Service Unavailable",
            "The store cannot be reached. Ask again.",
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    except Exception:  # a request's top: a defect in one must neither end the connection nor show itself to a stranger
        log.exception("request_failed", method=request.method, route=_route(request))
        return problem(500, "Internal Server Error", "This is a defect of Rollcall; its log tells more.")


def _refused(error: web.HTTPException) -> web.Response:
    detail = _DETAILS.get(error.status)
    headers = None
    if isinstance(error, web.HTTPMethodNotAllowed):
        allow = ", ".join(sorted(error.allowed_methods))
        detail, headers = f"This address knows {allow}.", {"Allow": allow}
    return problem(error.status, error.reason, detail, headers=headers)


def _route(request: web.Request) -> str:
    """The pattern and not the path: paths hold the names of rooms."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "(none)"
