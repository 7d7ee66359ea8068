"""The HTTP service of one test: the real application on an archive of sessions in memory."""

import difflib
from collections.abc import Iterable

from aiohttp import web
from pydantic import SecretStr

from orchestrator.configuration.credentials import ApiToken, Scope
from orchestrator.core.causes import Cause
from orchestrator.core.session import Session, SessionState
from orchestrator.runtime.ports import Page, StoreUnavailable
from orchestrator.web.auth import Bearers
from orchestrator.web.health import Readiness
from orchestrator.web.links import Links
from orchestrator.web.server import build_app
from orchestrator.web.sessions import Sessions
from orchestrator.web.table import routes_of

NOW = 1_000_060.0
READ = {"Authorization": "Bearer a-token-to-read"}


class StillClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class Archive:
    """What the service reads of the store, in memory. A cursor is the sid of the last session that was shown."""

    def __init__(self, clock: StillClock) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self.down = False
        self.pings = 0

    def keep(self, *sessions: Session) -> None:
        self._sessions |= {session.sid: session for session in sessions}

    async def find(self, room_or_sid: str) -> str | None:
        self._reach()
        if room_or_sid in self._sessions:
            return room_or_sid
        return next((s.sid for s in self._newest_first() if s.room == room_or_sid), None)

    async def read(self, sid: str) -> Session | None:
        self._reach()
        return self._sessions.get(sid)

    async def near_names(self, room: str) -> tuple[str, ...]:
        self._reach()
        return tuple(difflib.get_close_matches(room, [s.room for s in self._sessions.values()]))

    async def page(
        self,
        *,
        state: SessionState | None,
        agent_name: str | None,
        cause: Cause | None,
        older_than: float | None,
        cursor: str | None,
        limit: int,
    ) -> Page:
        self._reach()
        if cursor is not None and cursor not in self._sessions:
            raise ValueError(cursor)
        found = [
            s
            for s in self._newest_first()
            if state in (None, s.state)
            and (agent_name is None or agent_name in {p.agent_name for p in s.placements})
            and (cause is None or cause in {p.cause for p in s.placements})
            and (older_than is None or s.started_at <= self._clock.now() - older_than)
            and (cursor is None or s.started_at < self._sessions[cursor].started_at)
        ]
        return Page(tuple(found[:limit]), found[limit - 1].sid if len(found) > limit else None)

    async def ping(self) -> None:
        self.pings += 1
        self._reach()

    def _newest_first(self) -> Iterable[Session]:
        return sorted(self._sessions.values(), key=lambda s: s.started_at, reverse=True)

    def _reach(self) -> None:
        if self.down:
            raise StoreUnavailable("down")


TOKENS = tuple(ApiToken(scope, SecretStr(f"a-token-to-{scope}")) for scope in Scope)


class Door:
    """The parts of the service, and the application that is made of them."""

    def __init__(self, *, public_url: str | None = None, dev: bool = False) -> None:
        self.clock = StillClock()
        self.archive = Archive(self.clock)
        self.warnings: list[str] = []
        self.readiness = Readiness(self.archive, self.clock, lambda: self.warnings)
        sessions = Sessions(self.archive, self.clock, Links(public_url))
        routes = routes_of(acknowledge, sessions, self.readiness, expose)
        self.app = build_app(routes, bearers=Bearers(TOKENS, dev=dev), version="1.2.3")


async def acknowledge(request: web.Request) -> web.Response:
    await request.read()
    return web.Response()


async def expose(request: web.Request) -> web.Response:
    return web.Response(text="rollcall_up 1\n")
