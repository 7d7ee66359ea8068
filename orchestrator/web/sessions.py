"""GET /sessions and GET /sessions/<room or sid>: the on-call answer."""

from typing import Final, Protocol

from aiohttp import web

from orchestrator.core.causes import Cause
from orchestrator.core.session import Session, SessionState
from orchestrator.runtime.ports import Clock, Page
from orchestrator.web.answers import answer
from orchestrator.web.filters import following, read_filters
from orchestrator.web.links import Links
from orchestrator.web.problems import problem
from orchestrator.web.requests import Refused
from orchestrator.web.session_view import SessionList, session_view

SHOWN_OF_WHAT_WAS_ASKED: Final = 200
"""Characters of a name that an error repeats."""


class SessionReader(Protocol):
    """What is needed of the store. Every method raises StoreUnavailable."""

    async def find(self, room_or_sid: str) -> str | None: ...

    async def read(self, sid: str) -> Session | None: ...

    async def near_names(self, room: str) -> tuple[str, ...]: ...

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
        """Raises ValueError for a cursor that it has not given out."""
        ...


class Sessions:
    """The handlers."""

    def __init__(self, store: SessionReader, clock: Clock, links: Links) -> None:
        self._store = store
        self._clock = clock
        self._links = links

    async def get_one(self, request: web.Request) -> web.Response:
        # The router matches the raw path: one segment, which may hold an encoded slash, decoded once.
        session = await session_asked_for(self._store, request)
        return answer(session_view(session, self._clock.now(), self._links))

    async def get_many(self, request: web.Request) -> web.Response:
        """One page of them. Raises BadFilter."""
        filters = read_filters(request.query)
        with following(filters.cursor):
            page = await self._store.page(
                state=filters.state,
                agent_name=filters.agent_name,
                cause=filters.cause,
                older_than=filters.older_than,
                cursor=filters.cursor,
                limit=filters.limit,
            )
        now = self._clock.now()
        shown = tuple(session_view(session, now, self._links) for session in page.sessions)
        return answer(SessionList(sessions=shown, cursor=page.cursor))


async def find_sid(store: SessionReader, asked: str) -> str | None:
    """The sid of a session, by itself or by its room's name; None: there is none. The store takes no half characters."""
    return await store.find(asked) if _is_utf8(asked) else None


async def find_session(store: SessionReader, asked: str) -> Session | None:
    """The session with this sid, or the newest one of the room of this name."""
    sid = await find_sid(store, asked)
    return None if sid is None else await store.read(sid)


async def session_asked_for(store: SessionReader, request: web.Request, *, live: bool = False) -> Session:
    """The session that an address names; `live`: one that has not ended. Raises Refused, with names that look like it."""
    asked = request.match_info["room"]
    session = await find_session(store, asked)
    if session is None or (live and session.ended):
        raise Refused(not_found(asked, await store.near_names(asked) if _is_utf8(asked) else ()))
    return session


def not_found(asked: str, near: tuple[str, ...]) -> web.Response:
    """The answer when no session is known of a room or sid."""
    shown = asked if len(asked) <= SHOWN_OF_WHAT_WAS_ASKED else f"{asked[:SHOWN_OF_WHAT_WAS_ASKED]}…"
    detail = f'There is no session of a room or sid "{shown}".'
    if near:
        detail += f' Did you mean "{near[0]}"?'
    return problem(404, "Not Found", detail, near=list(near))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
