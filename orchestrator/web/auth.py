"""Who may do what. Whoever asks has brought a bearer token, a login's cookie, or a name that a proxy vouches for.

A browser sends cookies, and passes proxies, on behalf of any page that it shows. So whoever got in by one of these proves
with each request that changes something that it is ours that asks: with what only our page can have read.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from aiohttp import hdrs, web

from orchestrator.configuration.credentials import ApiToken, Scope
from orchestrator.web.problems import problem

CSRF_HEADER: Final = "X-Rollcall-CSRF"

INCLUDES: Final[dict[Scope, frozenset[Scope]]] = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.OPERATE: frozenset({Scope.OPERATE, Scope.READ}),
    Scope.MINT: frozenset({Scope.MINT}),
    Scope.WORKER: frozenset({Scope.WORKER}),
}
"""What each scope may."""

_ELSEWHERE: Final = "Another site's page sent this."

_SAFE: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})


class By(StrEnum):
    """How somebody got in."""

    TOKEN = "token"  # noqa: S105 - a word, and no token
    COOKIE = "cookie"
    PROXY = "proxy"
    DEV = "dev"


@dataclass(frozen=True, slots=True)
class Access:
    """What the caller of a request may, and how that is known."""

    scopes: frozenset[Scope]
    by: By | None = None
    """None: by nothing, it is a stranger's."""
    name: str | None = None
    """The person's, where a proxy said it."""
    csrf: str | None = None
    """What must come with each request that changes something; None: nothing need."""
    expires_at: float | None = None


NOBODY: Final = Access(frozenset())

ACCESS: Final = web.RequestKey("access", Access)
"""Of every request to a route that has a scope."""


class Entrance(Protocol):
    """The ways into the screen."""

    async def access(self, request: web.Request) -> Access:
        """NOBODY for a stranger. Raises StoreUnavailable."""
        ...


class Bearers:
    """The tokens that are accepted. With `dev` nobody needs any; without it, and without tokens, nobody gets in."""

    def __init__(self, tokens: Sequence[ApiToken], *, dev: bool) -> None:
        self._known = [(_digest(token.token.get_secret_value()), INCLUDES[token.scope]) for token in tokens]
        self.developer = Access(frozenset(Scope), By.DEV) if dev else None
        """What everybody may, with `dev`."""

    def access(self, request: web.Request) -> Access | None:
        """What the token of a request opens, NOBODY's for an unknown one; None when it brings none and needs one."""
        if self.developer is not None:
            return self.developer
        given = bearer_token(request)
        if given is None:
            return None
        scopes = self.scopes_of(given)
        return Access(scopes, By.TOKEN) if scopes else NOBODY

    def knows(self, token: str) -> bool:
        """Whether it is one of ours, of whatever scope."""
        return bool(self.scopes_of(token))

    def scopes_of(self, token: str) -> frozenset[Scope]:
        """All that this token may. Every known one is compared, so that time tells nothing of which it is like."""
        digest = _digest(token)
        matching = [scopes for known, scopes in self._known if hmac.compare_digest(known, digest)]
        return frozenset().union(*matching)

    def scopes_bound(self, secret: str, binding: str) -> frozenset[Scope]:
        """All that the token may to which `bind` bound this secret; nothing once it is configured no more."""
        matching = [scopes for known, scopes in self._known if hmac.compare_digest(_bound(secret, known), binding)]
        return frozenset().union(*matching)


def bind(secret: str, token: str) -> str:
    """What ties a secret to a token, and gives away neither: not even a token that is easy to guess can be tried out on it."""
    return _bound(secret, _digest(token))


async def access_of(request: web.Request, bearers: Bearers, entrance: Entrance | None) -> Access:
    """A token that was brought is what counts, also a wrong one. Raises StoreUnavailable."""
    access = bearers.access(request)
    if access is None:
        access = NOBODY if entrance is None else await entrance.access(request)
    return access


def forgery(request: web.Request, access: Access) -> web.Response | None:
    """The answer to what another page may have had a browser send; None where that cannot be."""
    if access.csrf is None or request.method in _SAFE:
        return None
    if comes_from_elsewhere(request):
        return problem(403, "Forbidden", _ELSEWHERE)
    if not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode("utf-8", "surrogateescape"), access.csrf.encode()):
        detail = f"Send the `csrf` of GET /login in the header {CSRF_HEADER}: you are logged in by {access.by}."
        return problem(403, "Forbidden", detail)
    return None


def intrusion(request: web.Request, access: Access) -> web.Response | None:
    """The answer to another page where nobody needs a token, and so any page may send what counts; None for all others."""
    if access.by is By.DEV and request.method not in _SAFE and comes_from_elsewhere(request):
        return problem(403, "Forbidden", _ELSEWHERE)
    return None


def comes_from_elsewhere(request: web.Request) -> bool:
    """Whether a browser says that the page of another origin sent this; programs, and old browsers, say nothing."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")


def refusal(request: web.Request, access: Access, *enough: Scope) -> web.Response | None:
    """The answer for a caller who may not; None for one who has one of the scopes that are enough."""
    scope = " or ".join(enough)
    if access.by is None:
        if bearer_token(request) is None:
            return _unauthorized('Bearer realm="rollcall"', f"A bearer token of scope {scope} is needed.")
        return _unauthorized('Bearer realm="rollcall", error="invalid_token"', "The bearer token is not known.")
    if access.scopes.isdisjoint(enough):
        return problem(
            403,
            "Forbidden",
            f"The bearer token is known, but its scope is not {scope}."
            if access.by is By.TOKEN
            else f"You are logged in, but your scope is not {scope}.",
            headers={"WWW-Authenticate": f'Bearer realm="rollcall", error="insufficient_scope", scope="{enough[0]}"'},
        )
    return None


def bearer_token(request: web.Request) -> str | None:
    """The bearer token of a request; None where there is none, or where it cannot be told which one it is."""
    values = request.headers.getall(hdrs.AUTHORIZATION, ())
    if len(values) != 1:  # of two, a proxy may have looked at the other
        return None
    scheme, _, token = values[0].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _digest(token: str) -> bytes:
    """Of one length for all tokens: comparing digests tells not even how long the known ones are."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _bound(secret: str, digest: bytes) -> str:
    return hmac.digest(secret.encode(), digest, "sha256").hex()


def _unauthorized(challenge: str, detail: str) -> web.Response:
    return problem(401, "Unauthorized", detail, headers={"WWW-Authenticate": challenge})
