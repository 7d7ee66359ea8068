"""What came of requests for tokens: told to whoever counts, beside the handler, which knows nothing of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Final

from aiohttp import web

from orchestrator.web.routes import Handler, Route


class Outcome(StrEnum):
    """The label of its metric, and a closed list."""

    MINTED = "minted"
    UNAUTHORIZED = "unauthorized"
    """No token, or a wrong one."""
    FORBIDDEN = "forbidden"
    """A room, an identity or an agent that this caller may not ask for."""
    LIMITED = "limited"
    """More often than the rate allows."""
    REFUSED = "refused"
    """Malformed, or what cannot be done."""
    FAILED = "failed"
    """LiveKit, the store or the identity provider did not answer."""


_BY_STATUS: Final = {201: Outcome.MINTED, 401: Outcome.UNAUTHORIZED, 403: Outcome.FORBIDDEN, 429: Outcome.LIMITED}
_FAILURES: Final = 500


def outcome(status: int) -> Outcome:
    return _BY_STATUS.get(status) or (Outcome.FAILED if status >= _FAILURES else Outcome.REFUSED)


def counted(routes: Iterable[Route], count: Callable[[Outcome], None]) -> Iterator[Route]:
    """The routes of the token endpoint; each answer to a POST is counted. They answer errors themselves, for CORS."""
    for route in routes:
        yield replace(route, handler=_counted(route, count)) if route.method == "POST" else route


def _counted(route: Route, count: Callable[[Outcome], None]) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = await route.handler(request)
        count(outcome(response.status))
        return response

    return handler
