"""Which pages may ask from a browser: an exact list of origins, and whatever is served from this very address.

A request of another page is refused, and not only hidden from it: its agent would be dispatched all the same.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from aiohttp import hdrs, web

from orchestrator.web.errors import answer_errors
from orchestrator.web.problems import problem
from orchestrator.web.routes import Handler

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

PREFLIGHT_LASTS: Final = 600
"""Seconds for which a browser need not ask again: Chromium allows two hours, but a list may change sooner."""

_HEADER_NAMES: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}(?:\s*,\s*[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}){0,31}")


class Cors:
    """`listed` as browsers send them. With `dev`, and where none is listed, every origin on this machine."""

    def __init__(self, listed: Iterable[str], *, dev: bool, own: str | None = None) -> None:
        """`own` is the URL at which people reach this service, if that is known."""
        self._listed = frozenset(listed)
        self._dev = dev
        self._own = None if own is None else "{0.scheme}://{0.netloc}".format(_parts(own)).lower()

    def guard(self, handler: Handler) -> Handler:
        """The handler for allowed pages, and for whoever is no page. Its refusals, too, can be read by the page."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if not self._allows(request):
                return _refusal()
            response = await answer_errors(request, handler)
            self._mark(request, response)
            return response

        return guarded

    def preflight(self, method: str) -> Handler:
        """What answers a browser that asks whether its page may."""

        async def answered(request: web.Request) -> web.StreamResponse:
            if not self._allows(request):
                return _refusal()
            response = web.Response(status=204, headers={"Allow": f"{method}, OPTIONS"})
            if self._mark(request, response):
                response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = method
                response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(PREFLIGHT_LASTS)
                response.headers[hdrs.VARY] = "Origin, Access-Control-Request-Headers"
                asked = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS, "")
                if _HEADER_NAMES.fullmatch(asked):  # none does anything here but the two that are needed
                    response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = asked
            return response

        return answered

    def _allows(self, request: web.Request) -> bool:
        origins = request.headers.getall(hdrs.ORIGIN, ())
        return not origins or (len(origins) == 1 and self._is_allowed(origins[0], request))

    def _is_allowed(self, origin: str, request: web.Request) -> bool:
        return origin in self._listed or self._is_own(origin, request) or (self._dev and not self._listed and _is_here(origin))

    def _is_own(self, origin: str, request: web.Request) -> bool:
        """A page that this service serves. Which scheme people see, a proxy in front may know alone.

        With `dev` the Host header is not enough: any page can give its own name this machine's address, and nobody is asked
        for a token.
        """
        if self._own is not None and origin == self._own:
            return True
        return _parts(origin).netloc.lower() == request.host.lower() and (not self._dev or _is_here(origin))

    def _mark(self, request: web.Request, response: web.StreamResponse) -> bool:
        """Let the page read the answer; whether there is a page of another origin that asks."""
        response.headers[hdrs.VARY] = "Origin"
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return False
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "Retry-After"
        return True


def _refusal() -> web.Response:
    return problem(
        403,
        "Forbidden",
        "Pages of this origin may not ask. Operators list those that may under token.cors.",
        headers={"Vary": "Origin"},
    )


def _parts(origin: str) -> SplitResult:
    try:
        return urlsplit(origin)
    except ValueError:
        return urlsplit("")


def _is_here(origin: str) -> bool:
    parts = _parts(origin)
    return parts.scheme in {"http", "https"} and parts.hostname in LOOPBACK and parts.username is None
