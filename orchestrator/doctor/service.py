"""The running service, as one of its callers sees it over HTTP."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr

from orchestrator.configuration.credentials import Scope
from orchestrator.core.quotation import quoted
from orchestrator.doctor.findings import Finding, failed, ok, skipped, warning
from orchestrator.runtime.ports import RollcallError
from orchestrator.settings import Settings

NAME: Final = "service"

_PATIENCE: Final = aiohttp.ClientTimeout(total=3.0)
_READERS: Final = (Scope.READ, Scope.OPERATE)
_FORGED: Final = re.compile(r'^rollcall_webhooks_total\{outcome="forged"\} (\S+)$', re.MULTILINE)

Json = dict[str, Any]


class NotAllowed(RollcallError):
    """The service wants a token of scope read, or another one than ours."""


class NoAnswer(RollcallError):
    """The service did not answer, or not with what its interface says."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where to look for the service, in this order, and how to get in."""

    urls: tuple[str, ...]
    token: SecretStr | None
    expected: bool
    """Somebody said that it is there."""


def access(settings: Settings, url: str | None, token: SecretStr | None) -> Access:
    """`url` and `token` as somebody gave them; else what the settings of the service itself say."""
    own = next((held.token for held in settings.api_tokens if held.scope in _READERS), None)
    if url:
        return Access((url.rstrip("/"),), token or own, expected=True)
    local = settings.model_copy(update={"public_url": None}).base_url
    return Access(tuple(dict.fromkeys((settings.base_url, local))), token or own, expected=False)


class Service:
    """A Rollcall that is looked for by `find`, and asked when it was found."""

    def __init__(self, access: Access, http: aiohttp.ClientSession) -> None:
        self._access = access
        self._http = http
        self.url: str | None = None
        """Where it answers; None when it does not, or was not looked for."""

    async def examine(self) -> list[Finding]:
        """Look for it."""
        tried = " nor ".join(self._access.urls)
        for url in self._access.urls:
            health = await self._health(url)
            if health is None:
                continue
            self.url = url
            if health["status"] == "ready":
                return [ok(NAME, f"Rollcall answers at {url}, and is ready.")]
            reasons = "; ".join(str(reason) for reason in health.get("reasons", ()))
            return [warning(NAME, f"Rollcall answers at {url}, and is not ready: {quoted(reasons)}.", "Look into its log.")]
        if self._access.expected:
            fix = "Start it, or correct --url or ROLLCALL_URL."
            return [failed(NAME, f"No Rollcall answers at {tried}.", fix)]
        fix = "Start `rollcall serve`, or say with --url where it runs."
        return [skipped(NAME, f"No Rollcall answers at {tried}.", fix)]

    async def heard_of_start(self, sid: str) -> bool:
        """Whether a webhook has told it that this room started. Raises NotAllowed and NoAnswer."""
        session = await self._get(f"/sessions/{quote(sid, safe='')}")
        timeline = session.get("timeline", ()) if session else ()
        return any(entry.get("event") == "room_started" and entry.get("source") == "webhook" for entry in timeline)

    async def agents(self) -> Sequence[Mapping[str, Any]]:
        """What workers announce. Raises NotAllowed and NoAnswer."""
        answer = await self._get("/agents")
        agents = answer.get("agents") if answer else None
        if not isinstance(agents, list):
            raise NoAnswer("it has no list of agents")
        return [agent for agent in agents if isinstance(agent, dict)]

    async def webhooks_refused(self) -> float | None:
        """How many webhooks this replica has refused as forged so far; None when it does not say."""
        try:
            async with self._http.get(f"{self.url}/metrics", timeout=_PATIENCE) as answer:
                counted = _FORGED.search(await answer.text())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None
        return float(counted[1]) if counted else 0.0

    async def _health(self, url: str) -> Json | None:
        """What it says about itself; None when whoever is there is no Rollcall."""
        try:
            async with self._http.get(f"{url}/readyz", timeout=_PATIENCE, allow_redirects=False) as answer:
                said = json.loads(await answer.text())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None
        return said if isinstance(said, dict) and said.get("status") in ("ready", "unready") else None

    async def _get(self, path: str) -> Json | None:
        token = self._access.token
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        try:
            async with self._http.get(f"{self.url}{path}", headers=headers, timeout=_PATIENCE, allow_redirects=False) as answer:
                if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                    raise NotAllowed(f"it answers {answer.status}")
                if answer.status == HTTPStatus.NOT_FOUND:
                    return None
                said = json.loads(await answer.text()) if answer.status == HTTPStatus.OK else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise NoAnswer(f"it did not answer ({type(error).__name__})") from error
        if not isinstance(said, dict):
            raise NoAnswer(f"it answers {answer.status}")
        return said
