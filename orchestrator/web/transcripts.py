"""What was said in a session: told by the agents' workers, asked for by people."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Protocol

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator.core.transcript import Role, Said
from orchestrator.web.answers import View, answer
from orchestrator.web.requests import Body, Refused, read_model
from orchestrator.web.sessions import SessionReader, find_sid, not_found, session_asked_for
from orchestrator.web.times import Time

MOST_ITEMS: Final = 100
LONGEST_TEXT: Final = 16 * 1024
_BODY_BYTES: Final = 2 * 1024 * 1024
_LATEST: Final = datetime(3000, 1, 1, tzinfo=UTC).timestamp()


def _unix_seconds(at: Any) -> Any:
    """RFC 3339 text as Unix seconds; what is neither is left to the model to refuse."""
    if not isinstance(at, str):
        return at
    parsed = datetime.fromisoformat(at)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


class Item(Body):
    id: Annotated[str, Field(min_length=1, max_length=128)]
    """One that comes again is kept once."""
    role: Role
    text: Annotated[str, Field(max_length=LONGEST_TEXT)]
    at: Annotated[
        float,
        BeforeValidator(
            _unix_seconds, json_schema_input_type=float | Annotated[str, Field(json_schema_extra={"format": "date-time"})]
        ),
        Field(ge=0, le=_LATEST),
    ]
    """When it was said: Unix seconds or RFC 3339."""
    interrupted: bool = False


class TranscriptRequest(Body):
    """What was said since the last time."""

    agent_name: Annotated[str, Field(max_length=256)]
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=MOST_ITEMS)]


class ItemView(View):
    id: str
    agent_name: str
    """Whose conversation it is part of."""
    role: Role
    text: str
    at: Time
    interrupted: bool
    """The person spoke before it was all said."""


class TranscriptView(BaseModel):
    """What was said in a session."""

    model_config = ConfigDict(frozen=True)

    room: str
    sid: str
    items: tuple[ItemView, ...]


class TranscriptStore(Protocol):
    """Raises StoreUnavailable."""

    async def add(self, sid: str, items: Sequence[Said]) -> bool: ...

    async def read(self, sid: str) -> tuple[Said, ...]: ...


class TranscriptDoor:
    """The handlers. What was said is in no log."""

    def __init__(self, sessions: SessionReader, transcripts: TranscriptStore) -> None:
        self._sessions = sessions
        self._transcripts = transcripts

    async def post(self, request: web.Request) -> web.Response:
        """Keep what a worker tells. Raises Refused."""
        told = await read_model(request, TranscriptRequest, at_most=_BODY_BYTES)
        room = request.match_info["room"]
        sid = await find_sid(self._sessions, room)
        said = [Said(i.id, told.agent_name, i.role, i.text, i.at, i.interrupted) for i in told.items]
        if sid is None or not await self._transcripts.add(sid, said):
            raise Refused(not_found(room, ()))
        return web.Response(status=204)

    async def get(self, request: web.Request) -> web.Response:
        """All that is kept of a session, which may have ended. Raises Refused."""
        session = await session_asked_for(self._sessions, request)
        items = tuple(
            ItemView(
                id=said.item_id,
                agent_name=said.agent_name,
                role=said.role,
                text=said.text,
                at=said.at,
                interrupted=said.interrupted,
            )
            for said in await self._transcripts.read(session.sid)
        )
        return answer(TranscriptView(room=session.room, sid=session.sid, items=items))
