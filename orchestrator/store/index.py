"""The indexes over sessions: by start, by state, by the name of the room.

They lie in another slot than the sessions, are written after them, and only when something changes. So they may lag or
name what is gone: readers check what they find, and whoever drives a session writes it anew once an hour.
"""

import asyncio
import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.core.facts import RoomOpened
from orchestrator.core.session import Session, SessionState
from orchestrator.store.connection import Connection
from orchestrator.store.keys import STATES, Keys
from orchestrator.store.recent import Recent
from orchestrator.store.scripts import Script

_REMEMBERED: Final = 10_000
"""Sessions of which this process remembers what it has written."""

_REFRESH: Final = 3600.0
"""Seconds after which a session that still changes is written again: what was lost comes back, and its due time moves."""

_SWEEP_AFTER: Final = 7200
"""Seconds that an entry outlives its session: more than a refresh may be late."""

_INTRODUCED: Final = 0
"""In the place of an epoch: of a session that was introduced, and not committed since."""

_DAY: Final = 86_400
_NEAR: Final = 5


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A session's place in an index; newer ones are greater."""

    started_at: float
    sid: str

    def __str__(self) -> str:
        return f"{self.started_at!r}:{self.sid}"

    @classmethod
    def parse(cls, cursor: str) -> "Position":
        """Raises ValueError."""
        started_at, _, sid = cursor.partition(":")
        position = cls(float(started_at), sid)
        if not math.isfinite(position.started_at):
            raise ValueError("the cursor is none that a page gave")
        return position


@dataclass(frozen=True, slots=True)
class _Written:
    state: SessionState | None
    """None: it was in the indexes before this process heard of it, in whatever state."""
    epoch: int
    at: float


class Index:
    """Where sessions are found."""

    def __init__(self, connection: Connection, keys: Keys, live_ttl: int) -> None:
        self._connection = connection
        self._keys = keys
        self._live_ttl = live_ttl
        self._written = Recent[str, _Written](_REMEMBERED)
        self._states = [keys.state(state) for state in STATES]
        self._live = [keys.state(state) for state in STATES if state is not SessionState.ENDED]
        self._by_sid = [keys.sessions, keys.due, *self._states]
        self._enter = Script.load("index")
        self._remove = Script.load("unindex")

    async def introduce(self, opening: RoomOpened) -> None:
        """Enter a session that may be new, as one that is not settled yet; leave it as it is if it is known."""
        if self._written.get(opening.sid) is None:
            entered = await self._write(
                opening.sid,
                opening.room,
                opening.started_at,
                SessionState.DISPATCHING,
                keep=self._live_ttl,
                only_new=True,
            )
            state = SessionState.DISPATCHING if entered else None
            self._written.put(opening.sid, _Written(state, _INTRODUCED, 0.0))

    async def update(self, session: Session, *, epoch: int, keep: int) -> None:
        """Enter a session as it is now, if that changed. `keep`: seconds for which its record is kept."""
        written = self._written.get(session.sid)
        # Under another epoch somebody else may have written since.
        if written is not None and written.state is session.state:
            if written.epoch == _INTRODUCED:  # entered by us when it was new, and this is its first commit
                self._written.put(session.sid, _Written(session.state, epoch, session.updated_at))
                return
            if written.epoch == epoch and session.updated_at - written.at < _REFRESH:
                return
        await self._write(session.sid, session.room, session.started_at, session.state, keep=keep, only_new=False)
        self._written.put(session.sid, _Written(session.state, epoch, session.updated_at))

    async def remove(self, sids: Sequence[str]) -> None:
        """Take out sessions that are no more."""
        if sids:
            for sid in sids:
                self._written.drop(sid)
            await self._remove.run(self._connection, self._by_sid, sids)

    def forget(self) -> None:
        """Rely no more on what this process has written: the store may have lost it."""
        self._written.clear()

    async def live(self) -> tuple[str, ...]:
        """The sids of all sessions that have not ended, at one moment, the oldest first. Some may be gone."""
        # One command over all states: a walk from state to state would miss the session that changes its own meanwhile.
        reply = await self._connection.call("ZUNION", len(self._live), *self._live)
        return tuple(sid.decode() for sid in reply)

    async def recent(self, now: float, ended_within: float, keep: int) -> tuple[str, ...]:
        """The sids of `live`, newest first, then of those that ended in the last so many seconds. Some may be gone.

        `keep`: seconds for which an ended session's record is kept. It was entered when it ended, to be due so much later.
        """
        due = int(now) + keep + _SWEEP_AFTER
        live, ended = await asyncio.gather(
            self.live(), self._connection.call("ZRANGE", self._keys.due, due + 1, due - ended_within, "BYSCORE", "REV")
        )
        return tuple(dict.fromkeys((*reversed(live), *(sid.decode() for sid in ended))))

    async def sids_of(self, room: str) -> tuple[str, ...]:
        """The sids of the rooms of this name, newest first. Some may be gone."""
        reply = await self._connection.call("ZRANGE", self._keys.name(room), 0, -1, "REV")
        return tuple(sid.decode() for sid in reply)

    async def near_names(self, room: str) -> tuple[str, ...]:
        """Names like this one among the newest, best first. Some may be gone."""
        reply = await self._connection.call("ZRANGE", self._keys.names, 0, -1, "REV")
        names = [name.decode() for name in reply]
        # In a thread: comparing a few thousand names would hold up every webhook meanwhile.
        return tuple(await asyncio.to_thread(difflib.get_close_matches, room, names, _NEAR))

    async def newest(
        self, state: SessionState | None, *, until: float | None, after: Position | None, count: int
    ) -> list[Position]:
        """The newest sessions that started at `until` or before, beyond the position `after`. Some may be gone."""
        key = self._keys.sessions if state is None else self._keys.state(state)
        return await newest(self._connection, key, until=until, after=after, count=count)

    async def _write(self, sid: str, room: str, started_at: float, state: SessionState, *, keep: int, only_new: bool) -> bool:
        keys = (self._keys.sessions, self._keys.due, self._keys.names, self._keys.name(room), *self._states)
        args = (
            sid,
            room,
            repr(started_at),
            STATES.index(state) + 1,
            keep + _SWEEP_AFTER,
            self._live_ttl + _DAY,
            int(only_new),
        )
        return bool(await self._enter.run(self._connection, keys, args))


async def newest(
    connection: Connection, key: str, *, after: Position | None, count: int, until: float | None = None
) -> list[Position]:
    """The last of a sorted set whose scores are times, at `until` or before, and beyond the position `after`."""
    bounds = [bound for bound in (until, after.started_at if after else None) if bound is not None]
    ceiling = repr(min(bounds)) if bounds else "+inf"
    found: list[Position] = []
    offset = 0
    while len(found) < count:
        reply = await connection.call("ZRANGE", key, ceiling, "-inf", "BYSCORE", "REV", "LIMIT", offset, count, "WITHSCORES")
        batch = [Position(float(score), sid.decode()) for sid, score in zip(reply[::2], reply[1::2], strict=True)]
        found += [position for position in batch if after is None or position < after]
        if len(batch) < count:
            break
        offset += count  # of the same millisecond as the last one seen: skipped above
    return found[:count]
