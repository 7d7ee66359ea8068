"""Every session that has not ended, in the few words that the reconciler compares with LiveKit's listing.

They stand as fields beside the record: to read 10,000 records would cost seconds of CPU, these fields a tenth of one.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from orchestrator.core.session import SessionState
from orchestrator.runtime.ports import Held
from orchestrator.store.connection import Connection
from orchestrator.store.index import Index
from orchestrator.store.keys import Keys

_PORTION: Final = 250
"""Sessions per trip: the event loop is held up for a few ms by each."""

_FIELDS: Final = ("owner", "state", "people", "opened_at", "heard_at", "touched_at")


async def held_sessions(connection: Connection, keys: Keys, index: Index) -> AsyncIterator[tuple[Held, ...]]:
    """In portions of one trip each. What the index names and the store lacks is taken out of the index."""
    sids = await index.live()
    for start in range(0, len(sids), _PORTION):
        portion = sids[start : start + _PORTION]
        rows = await connection.calls(*(("HMGET", keys.session(sid), *_FIELDS) for sid in portion))
        found = [(sid, row) for sid, row in zip(portion, rows, strict=True) if any(row)]
        if len(found) < len(portion):
            known = {sid for sid, _ in found}
            await index.remove([sid for sid in portion if sid not in known])
        held = tuple(_held(sid, row) for sid, row in found)
        yield tuple(one for one in held if one.state is not SessionState.ENDED)  # the index may lag behind the record


def _held(sid: str, row: Sequence[bytes | None]) -> Held:
    owner, state, people, opened_at, heard_at, touched_at = row
    return Held(
        sid=sid,
        state=SessionState(state.decode()) if state else SessionState.DISPATCHING,  # before the first commit
        owner=owner.decode() if owner else "",
        people=int(people or 0),
        # An older version wrote no times: long ago.
        opened_at=_seconds(opened_at) or 0.0,
        heard_at=_seconds(heard_at),
        touched_at=_seconds(touched_at) or 0.0,
    )


def _seconds(milliseconds: bytes | None) -> float | None:
    return None if milliseconds is None else int(milliseconds) / 1000
