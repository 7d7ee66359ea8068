"""The HTTP service: routes, middlewares and limits put together."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from orchestrator.web.auth import ACCESS, Bearers, Entrance, access_of, forgery, intrusion, refusal
from orchestrator.web.errors import answer_errors
from orchestrator.web.openapi import OpenApi
from orchestrator.web.routes import Handler, Route

BODY_LIMIT: Final = 256 * 1024
"""Bytes of a request's body, where a handler sets no limit of its own."""

LINE_LIMIT: Final = 8190
"""Bytes of a request's line, and of each of its headers."""


def build_app(routes: Sequence[Route], *, bearers: Bearers, version: str, entrance: Entrance | None = None) -> web.Application:
    """The application of these routes, and of the OpenAPI document that is made of them.

    `entrance`: the ways in that need no bearer token.
    """
    guarded: dict[web.AbstractRoute, Route] = {}
    app = web.Application(middlewares=[answer_errors, _authorization(bearers, entrance, guarded)], client_max_size=BODY_LIMIT)
    _add(app, (*routes, OpenApi(routes, version).route), guarded)
    return app


def build_runner(app: web.Application) -> web.AppRunner:
    """What serves the application. It logs no accesses: paths hold names of rooms, and probes would drown the rest."""
    return web.AppRunner(app, access_log=None, max_line_size=LINE_LIMIT, max_field_size=LINE_LIMIT)


def _add(app: web.Application, routes: Iterable[Route], guarded: dict[web.AbstractRoute, Route]) -> None:
    for route in routes:
        methods = (route.method, "HEAD") if route.method == "GET" else (route.method,)
        for method in methods:
            added = app.router.add_route(method, _pattern(route.path), route.handler)
            if route.scopes:
                guarded[added] = route


def _pattern(path: str) -> str:
    """The router's own pattern of a segment refuses braces, which the name of a room may hold."""
    return path.replace("}", ":[^/]+}")


def _authorization(bearers: Bearers, entrance: Entrance | None, guarded: Mapping[web.AbstractRoute, Route]) -> Middleware:
    @web.middleware
    async def authorize(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = guarded.get(request.match_info.route)
        if route is None:
            return await handler(request)
        access = request[ACCESS] = await access_of(request, bearers, entrance)
        refused = forgery(request, access)
        if refused is None and not route.sees_to_scope:
            refused = refusal(request, access, *route.scopes) or intrusion(request, access)
        return await handler(request) if refused is None else refused

    return authorize
