"""The HTTP service: routes, middlewares and limits put together."""

from collections.abc import Iterable, Sequence
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from orchestrator.configuration.credentials import Scope
from orchestrator.web.auth import SCOPES, Bearers
from orchestrator.web.errors import answer_errors
from orchestrator.web.openapi import OpenApi
from orchestrator.web.routes import Handler, Route

BODY_LIMIT: Final = 256 * 1024
"""Bytes of a request's body, where a handler sets no limit of its own."""

LINE_LIMIT: Final = 8190
"""Bytes of a request's line, and of each of its headers."""


def build_app(routes: Sequence[Route], *, bearers: Bearers, version: str) -> web.Application:
    """The application of these routes, and of the OpenAPI document that is made of them."""
    scopes: dict[web.AbstractRoute, tuple[Scope, ...]] = {}
    app = web.Application(middlewares=[answer_errors, _authorization(bearers, scopes)], client_max_size=BODY_LIMIT)
    _add(app, (*routes, OpenApi(routes, version).route), scopes)
    return app


def build_runner(app: web.Application) -> web.AppRunner:
    """What serves the application. It logs no accesses: paths hold names of rooms, and probes would drown the rest."""
    return web.AppRunner(app, access_log=None, max_line_size=LINE_LIMIT, max_field_size=LINE_LIMIT)


def _add(app: web.Application, routes: Iterable[Route], scopes: dict[web.AbstractRoute, tuple[Scope, ...]]) -> None:
    for route in routes:
        methods = (route.method, "HEAD") if route.method == "GET" else (route.method,)
        for method in methods:
            added = app.router.add_route(method, _pattern(route.path), route.handler)
            if route.scopes and not route.sees_to_scope:
                scopes[added] = route.scopes


def _pattern(path: str) -> str:
    """The router's own pattern of a segment refuses braces, which the name of a room may hold."""
    return path.replace("}", ":[^/]+}")


def _authorization(bearers: Bearers, scopes: dict[web.AbstractRoute, tuple[Scope, ...]]) -> Middleware:
    @web.middleware
    async def authorize(request: web.Request, handler: Handler) -> web.StreamResponse:
        enough = scopes.get(request.match_info.route)
        refusal = None if enough is None else bearers.refusal(request, *enough)
        request[SCOPES] = bearers.scopes_of(request)
        return await handler(request) if refusal is None else refusal

    return authorize
