"""Who may do what: bearer tokens, each for one scope."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web

from orchestrator.configuration.credentials import ApiToken, Scope
from orchestrator.web.problems import problem

_INCLUDES: Final[dict[Scope, frozenset[Scope]]] = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.OPERATE: frozenset({Scope.OPERATE, Scope.READ}),
    Scope.MINT: frozenset({Scope.MINT}),
    Scope.WORKER: frozenset({Scope.WORKER}),
}


SCOPES: Final = web.RequestKey("scopes", frozenset)
"""What the caller of a request may."""


class Bearers:
    """The tokens that are accepted. With `dev` nobody needs any; without it, and without tokens, nobody gets in."""

    def __init__(self, tokens: Sequence[ApiToken], *, dev: bool) -> None:
        self._known = [(_digest(token.token.get_secret_value()), _INCLUDES[token.scope]) for token in tokens]
        self._dev = dev

    def refusal(self, request: web.Request, *enough: Scope) -> web.Response | None:
        """The answer for a caller who may not; None for one whose token has one of the scopes that are enough."""
        if self._dev:
            return None
        given = bearer_token(request)
        scope = " or ".join(enough)
        if given is None:
            return _unauthorized('Bearer realm="rollcall"', f"A bearer token of scope {scope} is needed.")
        scopes = self._scopes_of(given)
        if not scopes:
            return _unauthorized('Bearer realm="rollcall", error="invalid_token"', "The bearer token is not known.")
        if scopes.isdisjoint(enough):
            return problem(
                403,
                "Forbidden",
                f"The bearer token is known, but its scope is not {scope}.",
                headers={"WWW-Authenticate": f'Bearer realm="rollcall", error="insufficient_scope", scope="{enough[0]}"'},
            )
        return None

    def scopes_of(self, request: web.Request) -> frozenset[Scope]:
        """All that the caller may."""
        if self._dev:
            return frozenset(Scope)
        given = bearer_token(request)
        return frozenset() if given is None else self._scopes_of(given)

    def knows(self, token: str) -> bool:
        """Whether it is one of ours, of whatever scope."""
        return bool(self._scopes_of(token))

    def _scopes_of(self, token: str) -> frozenset[Scope]:
        """All that this token may. Every known one is compared, so that time tells nothing of which it is like."""
        digest = _digest(token)
        matching = [scopes for known, scopes in self._known if hmac.compare_digest(known, digest)]
        return frozenset().union(*matching)


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


def _unauthorized(challenge: str, detail: str) -> web.Response:
    return problem(401, "Unauthorized", detail, headers={"WWW-Authenticate": challenge})
