"""What the service answers when something was done, as the command reads it."""

from datetime import datetime

import msgspec

from orchestrator.client.answers import Pause


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """An agent of which something was done."""

    agent_name: str
    was: str = ""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A session to which something was done."""

    room: str
    sid: str
    taken: tuple[Taken, ...]


class ManyDone(msgspec.Struct, frozen=True, kw_only=True):
    matched: int
    taken: int
    skipped: int
    sessions: tuple[Done, ...]
    cursor: str | None = None


class Paused(msgspec.Struct, frozen=True, kw_only=True):
    agent_name: str
    paused: Pause | None = None


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that was added, or put in another one's place."""

    room: str
    sid: str
    agent_name: str
    state: str
    dispatch_id: str | None = None
    identity: str | None = None
    instead_of: str | None = None


class Match(msgspec.Struct, frozen=True, kw_only=True):
    type: tuple[str, ...] | None = None
    room: tuple[str, ...] | None = None
    agent: tuple[str, ...] | None = None
    cause: tuple[str, ...] | None = None


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    match: Match
    starts_at: datetime
    ends_at: datetime
    reason: str = ""
    by: str = ""
    state: str


class Silences(msgspec.Struct, frozen=True, kw_only=True):
    silences: tuple[Silence, ...]
