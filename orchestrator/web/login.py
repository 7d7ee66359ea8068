"""/login: a person gives an API token once, and has a cookie for a shift.

The page never keeps the token, and cannot read the cookie.
"""

import secrets
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from pydantic import Field, SecretStr

from orchestrator.configuration.credentials import Scope
from orchestrator.core.login import Login
from orchestrator.runtime.ports import Clock
from orchestrator.web.answers import View, answer
from orchestrator.web.auth import ACCESS, Access, Bearers, By, bind, comes_from_elsewhere
from orchestrator.web.entrance import COOKIE, LIFETIME, LoginStore, cookie_of, digest_of, logged_in
from orchestrator.web.problems import problem
from orchestrator.web.ratelimit import RateLimit
from orchestrator.web.requests import Body, Refused, read_model
from orchestrator.web.routes import BODY_REFUSALS, PROTECTED, UNAVAILABLE, Answer, Route, refusal
from orchestrator.web.times import Time

log = structlog.get_logger()

PATH: Final = "/login"

_WRONG_PER_SECOND: Final = 0.2
"""Wrong tokens of one address that are answered and logged, after the first five: a person pastes the wrong one twice."""

_RIGHT_PER_SECOND: Final = 1.0
"""Log-ins with one token, after the first five: each is kept for a shift."""

_SECRET_BYTES: Final = 32


class LoginRequest(Body):
    """An API token of the scope read or operate."""

    token: SecretStr = Field(min_length=1, max_length=4096)


class LoginView(View):
    """Who is logged in, and what they may."""

    scopes: tuple[Scope, ...]
    name: str | None
    """The person's, where a proxy said it."""
    by: By
    csrf: str | None
    """To be sent as X-Rollcall-CSRF with everything that changes something; null: nothing need be."""
    expires_at: Time | None
    """When the cookie stops to count; null: never."""


class LoginDoor:
    """The handlers. Each raises Refused and StoreUnavailable."""

    def __init__(self, bearers: Bearers, logins: LoginStore, clock: Clock, public_url: str | None) -> None:
        self._bearers = bearers
        self._logins = logins
        self._clock = clock
        self._wrong = RateLimit(_WRONG_PER_SECOND, clock)
        self._right = RateLimit(_RIGHT_PER_SECOND, clock)
        public = urlsplit(public_url or "")
        self._path = public.path or "/"
        self._secure = public.scheme == "https"

    async def post(self, request: web.Request) -> web.Response:
        """A new cookie for the token; the login of the cookie that came with it is over."""
        if comes_from_elsewhere(request):
            raise Refused(problem(403, "Forbidden", "Another site's page sent this."))
        token = (await read_model(request, LoginRequest)).token.get_secret_value()
        developer = self._bearers.developer
        if developer is not None:
            return answer(_view(developer))
        scopes = self._scopes_of(token, f"address {request.remote}")
        self._right.take(digest_of(token))
        await self._end_login(request)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        login = Login(bind(secret, token), self._clock.now())
        await self._logins.add(digest_of(secret), login, seconds=LIFETIME)
        log.info("logged_in", scopes=sorted(scopes))
        response = answer(_view(logged_in(secret, scopes, login)))
        response.set_cookie(
            COOKIE,
            secret,
            max_age=round(LIFETIME),
            path=self._path,
            secure=self._secure or request.secure,
            httponly=True,
            samesite="Strict",
        )
        return response

    async def get(self, request: web.Request) -> web.Response:
        return answer(_view(request[ACCESS]))

    async def delete(self, request: web.Request) -> web.Response:
        await self._end_login(request)
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path=self._path, secure=self._secure or request.secure, httponly=True, samesite="Strict")
        return response

    async def _end_login(self, request: web.Request) -> None:
        """Of the cookie that came, if one did."""
        secret = cookie_of(request)
        if secret is not None:
            await self._logins.drop(digest_of(secret))

    def _scopes_of(self, token: str, caller: str) -> frozenset[Scope]:
        """Raises Refused.

        A right token never waits: behind a proxy all people have one address, and any stranger could keep them out.
        """
        scopes = self._bearers.scopes_of(token)
        if not scopes:
            wait = self._wrong.wait(caller)
            if wait:
                detail = "Too many wrong tokens came from this address."
                raise Refused(problem(429, "Too Many Requests", detail, headers={"Retry-After": str(wait)}))
            log.warning("login_refused", caller=caller)
            raise Refused(problem(401, "Unauthorized", "The token is not known.", headers={"WWW-Authenticate": "Bearer"}))
        if Scope.READ not in scopes:
            raise Refused(problem(403, "Forbidden", "The token is known, but its scope is not read or operate."))
        return scopes


def login_routes(door: LoginDoor) -> tuple[Route, ...]:
    """A table: log in, see who is logged in, log out."""
    return (
        Route(
            "POST",
            PATH,
            door.post,
            scope=None,
            name="logIn",
            summary="Have a cookie for an API token, for twelve hours.",
            answers={
                200: Answer("Logged in; the cookie is in the headers.", LoginView),
                401: refusal("The token is not known."),
                403: refusal("The token has another scope, or another site's page sent this."),
                429: refusal(
                    "Too many wrong tokens from this address, or log-ins with this token; wait for Retry-After seconds."
                ),
                503: UNAVAILABLE,
                **BODY_REFUSALS,
            },
            accepts=LoginRequest,
        ),
        Route(
            "GET",
            PATH,
            door.get,
            scope=Scope.READ,
            name="getLogin",
            summary="Who is logged in, and what they may.",
            answers={200: Answer("Whoever asks.", LoginView), 503: UNAVAILABLE, **PROTECTED},
        ),
        Route(
            "DELETE",
            PATH,
            door.delete,
            scope=Scope.READ,
            name="logOut",
            summary="Have the cookie count no more.",
            answers={204: Answer("It does not.", media_type=None), 503: UNAVAILABLE, **PROTECTED},
        ),
    )


def _view(access: Access) -> LoginView:
    return LoginView(
        scopes=tuple(scope for scope in (Scope.READ, Scope.OPERATE) if scope in access.scopes),
        name=access.name,
        by=access.by or By.TOKEN,
        csrf=access.csrf,
        expires_at=access.expires_at,
    )
