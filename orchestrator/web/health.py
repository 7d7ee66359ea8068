"""GET /livez and GET /readyz.

livez answers when the process and its event loop do: a restart mends nothing else, so nothing else is asked. readyz
says whether this replica can do its work: the store stores, the configuration is loaded, it is not draining. LiveKit is
not asked in either: were it down, all replicas would be taken out of service, and webhooks would be lost for nothing.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, Literal, Protocol

from aiohttp import web
from pydantic import BaseModel

from orchestrator.runtime.ports import Clock, StoreUnavailable
from orchestrator.web.answers import answer

PING_TIMEOUT: Final = 1.0
PING_KEPT: Final = 1.0
"""Seconds for which a ping's result stands: however many probes come, the store is asked once a second."""


class Pingable(Protocol):
    async def ping(self) -> None:
        """Raises StoreUnavailable."""
        ...


class Liveness(BaseModel):
    status: Literal["alive"] = "alive"


class ReadinessView(BaseModel):
    """Whether this replica can do its work, and if not, why. Warnings are for people; they make nothing unready."""

    status: Literal["ready", "unready"]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


async def get_livez(request: web.Request) -> web.Response:  # noqa: ARG001  # the signature of a handler
    return answer(Liveness())


class Readiness:
    """Unready until the configuration is loaded, and from the moment that draining begins."""

    def __init__(self, store: Pingable, clock: Clock, warnings: Callable[[], Iterable[str]]) -> None:
        self._store = store
        self._clock = clock
        self._warnings = warnings
        self._configured = False
        self._draining = False
        self._asked_at = float("-inf")
        self._unavailable: str | None = None
        self._asking = asyncio.Lock()

    def configuration_loaded(self) -> None:
        self._configured = True

    def drain(self) -> None:
        """Let load balancers look elsewhere: this replica is about to stop."""
        self._draining = True

    async def get(self, request: web.Request) -> web.Response:  # noqa: ARG002  # the signature of a handler
        reasons = await self.reasons()
        status: Literal["ready", "unready"] = "unready" if reasons else "ready"
        view = ReadinessView(status=status, reasons=reasons, warnings=tuple(self._warnings()))
        return answer(view, 503 if reasons else 200)

    async def sentences(self) -> tuple[str, ...]:
        """Why this replica is not ready, and then what else a person should know of it."""
        return (*await self.reasons(), *self._warnings())

    async def reasons(self) -> tuple[str, ...]:
        """Why this replica is not ready; empty when it is."""
        reasons = []
        if self._draining:
            reasons.append("This replica is stopping.")
        if not self._configured:
            reasons.append("The configuration is not loaded yet.")
        if unavailable := await self._store_unavailable():
            reasons.append(unavailable)
        return tuple(reasons)

    async def _store_unavailable(self) -> str | None:
        async with self._asking:  # probes that come meanwhile wait for the one question, and share its answer
            if self._clock.monotonic() - self._asked_at >= PING_KEPT:
                self._unavailable = await self._ping()
                self._asked_at = self._clock.monotonic()
            return self._unavailable

    async def _ping(self) -> str | None:
        try:
            async with asyncio.timeout(PING_TIMEOUT):
                await self._store.ping()
        except TimeoutError:
            return f"The store did not answer within {PING_TIMEOUT:g} s."
        except StoreUnavailable:
            return "The store is not available."
        return None
