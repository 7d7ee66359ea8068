"""The worker's line to the orchestrator: a few HTTP calls, each bounded, none of which may cost a job."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from worker.settings import SettingsError

log = logging.getLogger("rollcall.worker")

CALL_SECONDS = 1.0
"""For an answer that nobody in a call waits for."""

CHECK_SECONDS = 0.5
"""For the question whether an attempt still counts: LiveKit waits 3 s for a worker's answer, and people wait for the agent."""

HOLD_SECONDS = 30.0
"""How long the orchestrator holds its answer to a switch until the other agent is there."""

_DETAIL_LENGTH = 300
_COME_AGAIN = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


class OrchestratorError(Exception):
    """The orchestrator could not be reached, or did not take what it was sent."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        """`status` is that of its answer; None without one."""
        super().__init__(reason)
        self.status = status

    @property
    def temporary(self) -> bool:
        """Whether the same call may work out later."""
        return self.status is None or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR or self.status in _COME_AGAIN


class ConnectionFailed(OrchestratorError):
    """There was no connection, or it broke before the answer came."""


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """Where the orchestrator is, and the key to it."""

    url: str | None
    """ROLLCALL_URL, without a slash at its end; None: the worker announces nothing, asks nothing, and works all the same."""
    token: str = field(repr=False)
    """ROLLCALL_API_TOKEN, or the content of the file ROLLCALL_API_TOKEN_FILE: of scope `worker`. Empty: none is sent."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Orchestrator:
        """The settings of this environment; SettingsError where they cannot be used."""
        return cls(url=_url(environment.get("ROLLCALL_URL", "")), token=_token(environment))

    def client(self) -> OrchestratorClient | None:
        """The line to it; None without a URL."""
        return None if self.url is None else OrchestratorClient(self.url, self.token)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a worker says of itself."""

    agent_name: str
    load: float
    """The part of its own threshold that is used: at 1 it takes no more jobs."""
    active_jobs: int
    capacity: int | None
    version: str
    region: str
    capabilities: tuple[str, ...]
    draining: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was said."""

    id: str
    role: str
    """user, assistant or system."""
    text: str = field(repr=False)
    at: float
    """Unix seconds."""
    interrupted: bool = False


class OrchestratorClient:
    """Every call opens a connection of its own: they are rare, and come from any of a worker's event loops."""

    def __init__(self, url: str, token: str) -> None:
        """`url` as `Orchestrator` has it; an empty token is not sent."""
        self._base = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def announce(self, worker_id: str, announcement: Announcement) -> None:
        """Say that this worker is there; OrchestratorError when nobody heard it."""
        await self._call("PUT", f"/workers/{_segment(worker_id)}", body=asdict(announcement))

    async def withdraw(self, worker_id: str) -> None:
        """Say that this worker is gone; OrchestratorError when nobody heard it."""
        await self._call("DELETE", f"/workers/{_segment(worker_id)}")

    async def send_transcript(self, session: str, agent_name: str, items: Sequence[Item]) -> None:
        """Hand over what was said, 1 to 100 items; OrchestratorError when they were not taken."""
        body = {"agent_name": agent_name, "items": [asdict(item) for item in items]}
        await self._call("POST", f"/sessions/{_segment(session)}/transcript", body=body)

    async def attempt_is_current(self, session: str, attempt_id: str) -> bool:
        """Whether this attempt still counts; also when nobody can tell."""
        path = f"/sessions/{_segment(session)}/attempts/{_segment(attempt_id)}"
        try:
            _, attempt = await self._call("GET", path, seconds=CHECK_SECONDS)
        except OrchestratorError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                log.warning("attempt not checked", extra={"reason": str(error)})
            return True
        return attempt.get("current") is not False

    async def switch(
        self,
        session: str,
        *,
        agent_name: str,
        instead_of: str | None,
        metadata: object = None,
        grace: float = 15.0,
        hold: bool = True,
    ) -> bool:
        """Have the agent `agent_name` take over from `instead_of` (None: from the only one that there is).

        True: with `hold` the other agent was verified, at most HOLD_SECONDS later; without, the order was taken. Else False,
        a line in the log says why, and one that was not verified in time is called off. From then on this agent may stay
        for `grace` seconds (0 to 60), to introduce the other.
        """
        path = f"/sessions/{_segment(session)}/switch"
        body = {"agent_name": agent_name, "instead_of": instead_of, "metadata": metadata, "grace": grace}
        query = {"hold": "verified"} if hold else {}
        seconds = CALL_SECONDS + (HOLD_SECONDS if hold else 0.0)
        order = {"Idempotency-Key": uuid.uuid4().hex}
        try:
            try:
                status, _ = await self._call("POST", path, body=body, query=query, headers=order, seconds=seconds)
            except ConnectionFailed:
                # A replica that restarts drops the connection in the middle of the wait; the key makes it one order.
                status, _ = await self._call("POST", path, body=body, query=query, headers=order, seconds=seconds)
        except OrchestratorError as error:
            log.warning("switch not taken", extra={"to_agent": agent_name, "reason": str(error)})
            return False
        if hold and status != HTTPStatus.OK:
            log.warning("switch not verified in time", extra={"to_agent": agent_name})
            await self._call_off(session, agent_name)
            return False
        return True

    async def _call_off(self, session: str, agent_name: str) -> None:
        """Have an agent that did not come in time wanted no longer: the person, who is told so, must not get it later."""
        try:
            await self._call("DELETE", f"/sessions/{_segment(session)}/agents/{_segment(agent_name)}")
        except OrchestratorError as error:
            log.warning("switch not called off", extra={"to_agent": agent_name, "reason": str(error)})

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = CALL_SECONDS,
    ) -> tuple[int, dict[str, Any]]:
        """The status and the JSON object of a 2xx answer; OrchestratorError for everything else."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds), trust_env=True) as http,
                http.request(
                    method,
                    self._base + path,
                    json=body,
                    params=query,
                    headers={**self._headers, **(headers or {})},
                    allow_redirects=False,
                ) as answer,
            ):
                text = await answer.text(errors="replace")
        except TimeoutError as error:
            raise OrchestratorError(f"no answer within {seconds:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionFailed(f"not reached: {type(error).__name__}: {error}"[:_DETAIL_LENGTH]) from error
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise OrchestratorError(_refusal(answer.status, text), answer.status)
        return answer.status, _object(text)


def _refusal(status: int, text: str) -> str:
    """What a problem+json says, without what else may be in it."""
    problem = _object(text)
    said = problem.get("detail") or problem.get("title") or ""
    return f"answered {status}: {said}"[:_DETAIL_LENGTH] if said else f"answered {status}"


def _object(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text) if text else {}
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _segment(value: str) -> str:
    """One segment of a path: names of rooms may hold slashes."""
    return quote(value, safe="")


def _url(written: str) -> str | None:
    url = written.strip().rstrip("/")
    if not url:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable, parts = False, urlsplit("")
    if not usable:
        raise SettingsError("ROLLCALL_URL must be an http:// or https:// address, such as https://rollcall.example")
    if parts.query or parts.fragment or parts.username is not None:
        raise SettingsError("ROLLCALL_URL must be an address without a user, a query or a fragment")
    return url


def _token(environment: Mapping[str, str]) -> str:
    token, path = environment.get("ROLLCALL_API_TOKEN", "").strip(), environment.get("ROLLCALL_API_TOKEN_FILE", "").strip()
    if token and path:
        raise SettingsError("set ROLLCALL_API_TOKEN or ROLLCALL_API_TOKEN_FILE, not both")
    if path:
        try:
            token = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise SettingsError(f"ROLLCALL_API_TOKEN_FILE cannot be read: {type(error).__name__}") from error
    if not token.isascii() or not token.isprintable():
        raise SettingsError("what ROLLCALL_API_TOKEN or ROLLCALL_API_TOKEN_FILE holds must be one line of ASCII characters")
    return token
