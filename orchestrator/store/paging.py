"""Pages on Redis: what of a group a sink was told, and what not; changed by one script, if nothing has changed meanwhile."""

from collections.abc import Mapping
from typing import Final

from orchestrator.core.alerts import alert_id
from orchestrator.core.paging import MOST_LISTED, Fresh, Gathered
from orchestrator.runtime.ports import GroupLook, GroupMessage
from orchestrator.store.codec import decode_page, encode_alert, encode_page
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script

_TTL: Final = 31 * 86_400
"""Seconds after the last change: as long as an alert whose incident is open."""

_AT_ONCE: Final = 16
"""Groups of one sink."""


class GroupPages:
    """Of the sinks that group. Raises StoreUnavailable, and StoreCorrupt for a page that a newer replica wrote."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._page = Script.load("alert_page")

    async def due(self, sink: str, now: float) -> list[str]:
        """The groups that are to be looked at."""
        command = ("ZRANGEBYSCORE", self._keys.gathered(sink), "-inf", repr(now), "LIMIT", 0, _AT_ONCE)
        return [name.decode() for name in await self._connection.call(*command)]

    async def look(self, sink: str, group: str) -> GroupLook:
        """The group as it is. Its version is read first: what changes while the rest is read is noticed by `commit`."""
        page, told = self._keys.page(sink, group), self._keys.told(sink, group)
        (version, record), fresh, listed, count = await self._connection.calls(
            ("HMGET", page, "version", "record"),
            ("HGETALL", self._keys.fresh(sink, group)),
            ("ZRANGE", told, 0, MOST_LISTED - 1),
            ("ZCARD", told),
        )
        known = None if record is None else decode_page(record)
        waits = known and await self._connection.call("ZSCORE", self._keys.alerts_due(sink), known.last) is not None
        names = tuple(name.decode() for name in listed)
        return GroupLook(sink, group, (version or b"0").decode(), Gathered(known, _fresh(fresh), names, count, bool(waits)))

    async def commit(self, looked: GroupLook, said: GroupMessage | None, *, look_at: float | None, held: int) -> bool:
        """Say it, and look at the group again then (None: when something happens). False: something has changed meanwhile."""
        keys, sink, group = self._keys, looked.sink, looked.group
        before = looked.gathered.page
        # The message of a single incident is that incident's own alert, which is kept as long as it is open.
        superseded = said is not None and before is not None and before.last != alert_id(before.lead, "firing")
        return bool(
            await self._page.run(
                self._connection,
                (
                    keys.page(sink, group),
                    keys.fresh(sink, group),
                    keys.told(sink, group),
                    keys.gathered(sink),
                    keys.gathered_held(sink),
                    keys.alerts_due(sink),
                    keys.alerts_held(sink),
                    keys.alert(said.message if said else ""),
                    keys.alert(before.last if before else ""),
                ),
                (
                    looked.version,
                    group,
                    "" if look_at is None else repr(look_at),
                    held,
                    _TTL,
                    encode_page(said.page) if said and said.page else "",
                    said.message if said else "",
                    encode_alert(said.alert) if said and said.alert else "",
                    before.last if before else "",
                    int(superseded),
                    *(said.first if said else ()),
                ),
            )
        )


def _fresh(stored: Mapping[bytes, bytes]) -> dict[str, Fresh]:
    split = ((name.decode(), *value.decode().split(" ", 1)) for name, value in stored.items())
    return {name: Fresh(float(since), room) for name, since, room in split}
