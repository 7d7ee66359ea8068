"""The outbox of alerts: each is kept for every sink until that sink has accepted it, or a month has passed.

`Outbox` is the runtime's Alerts; what delivers the alerts claims them, and tells what came of it. A claim lapses, so an
alert whose deliverer died is delivered by another: at least once, with the same id each time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from orchestrator.core.alerts import AlertType, alert_id
from orchestrator.core.paging import Grouping, GroupName
from orchestrator.runtime.ports import Alert, StoreCorrupt
from orchestrator.store.codec import decode_alert, encode_alert
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script

log = structlog.get_logger()

_KEPT: Final = 7 * 86_400
"""Seconds; also for how long the same alert id is known to be the same."""

_OPEN_KEPT: Final = 31 * 86_400
"""Seconds for which an alert is kept whose incident is not resolved: longer than any silence."""

_WATCHDOG_KEPT: Final = 3_600
"""Seconds: there is one a minute."""

_CLAIMED_AT_ONCE: Final = 32
"""Per sink: what a deliverer can try within one lease."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert that one sink should get now."""

    alert: Alert
    sink: str
    tries: int
    """Which try this is since the sink accepted it last, from 1."""
    accepted: bool = False
    """Whether the sink has accepted it before, and is sent it again."""


class Outbox:
    """Holds alerts for the sinks of these names; those of other names are left to the replicas that know them."""

    def __init__(
        self,
        connection: Connection,
        keys: Keys,
        sinks: Sequence[str],
        wants: Callable[[str, Alert], bool] = lambda _sink, _alert: True,
        groups: Mapping[str, Grouping] | None = None,
    ) -> None:
        """`wants` says which alerts a sink is to be sent; `groups` are those to which many rooms are one page."""
        self._connection = connection
        self._keys = keys
        self._sinks = tuple(sinks)
        self._wants = wants
        self._groups = groups or {}
        self._again = Script.load("alert_again")
        self._hold = Script.load("alert_hold")
        self._forgo = Script.load("alert_forgo")
        self._release = Script.load("alert_release")
        self._queue = Script.load("alert_queue")
        self._claim = Script.load("alert_claim")

    async def queue(self, alert: Alert) -> None:
        """Keep it for each sink that wants it; gather it for those that group.

        A resolution is told under the cause with which its incident fired.
        """
        if alert.status == "resolved":
            alert = await self._as_fired(alert)
        keys, group = self._keys, group_of(alert)
        grouping = self._groups if group else {}
        due = [keys.alerts_due(sink) for sink in self._sinks if sink not in grouping and self._wants(sink, alert)]
        gathering = (key for sink in grouping for key in self._gathering(sink, group))
        waits = (grouping[sink].wait if self._wants(sink, alert) else "" for sink in grouping)
        sign = alert.type == AlertType.WATCHDOG
        kept, status = (_WATCHDOG_KEPT, "") if sign else (_KEPT, alert.status)
        await self._queue.run(
            self._connection,
            (
                keys.alert(alert.id),
                keys.alert(alert_id(alert.incident, "firing")),
                keys.alerts_open,
                keys.alert_groups,
                keys.alert_group(group),
                *due,
                *gathering,
            ),
            (
                alert.id,
                encode_alert(alert),
                kept,
                _OPEN_KEPT,
                status,
                alert.incident,
                repr(alert.at),
                group,
                alert.room or "",
                len(due),
                *waits,
            ),
        )

    async def _as_fired(self, resolved: Alert) -> Alert:
        fired: bytes | None = await self._connection.call(
            "HGET", self._keys.alert(alert_id(resolved.incident, "firing")), "body"
        )
        return resolved if fired is None else as_fired(resolved, fired)

    def _gathering(self, sink: str, group: str) -> tuple[str, ...]:
        keys = self._keys
        return (
            keys.alerts_due(sink),
            keys.gathered(sink),
            keys.fresh(sink, group),
            keys.told(sink, group),
            keys.page(sink, group),
        )

    async def claim(self, now: float, lease: float) -> tuple[Delivery, ...]:
        """What is due; each is due again in `lease` seconds unless `done` or `retry` says otherwise before."""
        deliveries: list[Delivery] = []
        for sink in self._sinks:
            terms = (sink, now, now + lease, _CLAIMED_AT_ONCE, self._keys.alert(""), _OPEN_KEPT)
            for accepted, queues in ((False, self._first_queues(sink)), (True, (self._keys.alerts_again(sink),))):
                claimed = await self._claim.run(self._connection, queues, (*terms, *self._group_prefixes(sink)))
                for body, tries in claimed:
                    try:
                        deliveries.append(Delivery(decode_alert(body), sink, tries, accepted))
                    except StoreCorrupt as error:
                        log.warning("alert_unreadable", sink=sink, error=str(error))  # a newer replica's: it will take it
        return tuple(deliveries)

    def _first_queues(self, sink: str) -> tuple[str, ...]:
        """What the sink is to be told for the first time."""
        keys = self._keys
        queues = keys.alerts_due(sink), keys.alerts_held(sink)
        if sink in self._groups:
            return queues
        return (*queues, keys.gathered(sink), keys.gathered_held(sink))  # of a time when it grouped

    def _group_prefixes(self, sink: str) -> tuple[str, str, str]:
        return self._keys.fresh(sink, ""), self._keys.told(sink, ""), self._keys.page(sink, "")

    async def done(self, alert_id: str, sink: str) -> None:
        """The sink is not to be sent it any more: mostly because it has accepted it."""
        await self._connection.calls(*(("ZREM", key, alert_id) for key in self._queues(sink)))

    async def waits(self, alert_id: str, sink: str) -> bool:
        """Whether the sink is still to accept this alert for the first time."""
        return await self._connection.call("ZSCORE", self._keys.alerts_due(sink), alert_id) is not None

    async def hold(self, alert_id: str, sink: str, until: float) -> None:
        """A silence keeps it from the sink: it is due again at this time, or when `release` is called."""
        keys = (self._keys.alert(alert_id), self._keys.alerts_due(sink), self._keys.alerts_held(sink))
        await self._hold.run(self._connection, keys, (alert_id, sink, repr(until), _OPEN_KEPT))

    async def forgo(self, alert_id: str, end_id: str, sink: str) -> bool:
        """Whether a silence keeps the beginning from the sink; then it is sent neither that nor the end."""
        keys = (self._keys.alerts_due(sink), self._keys.alerts_held(sink))
        return bool(await self._forgo.run(self._connection, keys, (alert_id, end_id)))

    async def release(self) -> None:
        """A silence was ended: look at everything again that any keeps from a sink."""
        if self._sinks:
            held = [key for sink in self._sinks for key in (self._keys.alerts_held(sink), self._keys.gathered(sink))]
            await self._release.run(self._connection, held, (_OPEN_KEPT,))

    async def again(self, alert_id: str, sink: str, at: float) -> None:
        """The sink has accepted it, and is to be sent it again at this time, unless somebody says `done` meanwhile."""
        keys = (self._keys.alert(alert_id), *self._queues(sink))
        await self._again.run(self._connection, keys, (alert_id, sink, repr(at), _OPEN_KEPT))

    async def retry(self, alert_id: str, sink: str, at: float) -> None:
        """The sink did not accept it: try again at this time."""
        await self._connection.calls(*(("ZADD", key, "XX", repr(at), alert_id) for key in self._queues(sink)))

    async def pending(self) -> dict[str, int]:
        """Per sink: how many alerts it has not accepted yet."""
        return await self._counts(self._keys.alerts_due)

    async def silenced(self) -> dict[str, int]:
        """Per sink: how many alerts silences keep from it."""
        held = await self._counts(self._keys.alerts_held)
        grouped = await self._connection.calls(*(("HVALS", self._keys.gathered_held(sink)) for sink in self._groups))
        return held | {sink: held[sink] + sum(map(int, counts)) for sink, counts in zip(self._groups, grouped, strict=True)}

    async def _counts(self, queue: Callable[[str], str]) -> dict[str, int]:
        counts = await self._connection.calls(*(("ZCARD", queue(sink)) for sink in self._sinks))
        return dict(zip(self._sinks, counts, strict=True))

    def _queues(self, sink: str) -> tuple[str, str]:
        return self._keys.alerts_due(sink), self._keys.alerts_again(sink)


def group_of(alert: Alert) -> str:
    """What the alerts of many rooms are one page by; nothing for one that is about no session."""
    return "" if alert.sid is None else str(GroupName(alert.type, alert.cause, alert.agent_name or ""))


def as_fired(resolved: Alert, fired: bytes) -> Alert:
    """A resolution as the receivers know its incident: filters and labels must be those under which it fired."""
    try:
        firing = decode_alert(fired)
    except StoreCorrupt:
        return resolved
    return replace(resolved, cause=firing.cause, since=firing.at)
