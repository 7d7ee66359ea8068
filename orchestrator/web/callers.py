"""Who asks for a token: the holder of an API token, or somebody whom the team's identity provider knows."""

import hashlib
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from orchestrator.configuration.credentials import Scope
from orchestrator.web.auth import ACCESS, Bearers, bearer_token, refusal
from orchestrator.web.errors import RETRY_AFTER
from orchestrator.web.identity_provider import IdentityProvider, NotAccepted, ProviderUnavailable
from orchestrator.web.problems import problem
from orchestrator.web.requests import Refused

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Caller:
    name: str
    """One name for one caller, for counting: nothing that could be used."""
    claims: dict[str, Any] | None = None
    """Of a JWT; None: the holder of an API token, who may speak for others."""

    @property
    def subject(self) -> str | None:
        return None if self.claims is None else str(self.claims["sub"])


class Callers:
    def __init__(self, bearers: Bearers, provider: IdentityProvider | None) -> None:
        self._bearers = bearers
        self._provider = provider

    async def caller(self, request: web.Request) -> Caller:
        """Raises Refused for whoever may not ask at all."""
        given = bearer_token(request)
        if given is not None and self._provider is not None and not self._bearers.knows(given):
            return await self._by_provider(self._provider, given)
        refused = refusal(request, request[ACCESS], Scope.MINT)
        if refused is not None:
            raise Refused(refused)
        if given is None:
            return Caller(f"address {request.remote}")
        return Caller(f"token {hashlib.sha256(given.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}")

    async def _by_provider(self, provider: IdentityProvider, token: str) -> Caller:
        try:
            claims = await provider.claims(token)
        except NotAccepted as error:
            log.info("token_refused", reason=str(error))
            detail = "The bearer token is neither known nor one of the identity provider's that holds."
            challenge = {"WWW-Authenticate": 'Bearer realm="rollcall", error="invalid_token"'}
            raise Refused(problem(401, "Unauthorized", detail, headers=challenge)) from error
        except ProviderUnavailable as error:
            detail = "The identity provider cannot be reached. Ask again."
            headers = {"Retry-After": str(RETRY_AFTER)}
            raise Refused(problem(503, "Service Unavailable", detail, headers=headers)) from error
        return Caller(f"subject {claims['sub']}", claims)
