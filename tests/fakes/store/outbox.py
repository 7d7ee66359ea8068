"""The outbox of the model: the runtime's Alerts, and what a deliverer asks of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from orchestrator.core.alerts import alert_id
from orchestrator.runtime.ports import Alert
from orchestrator.store.outbox import Delivery
from tests.fakes.store.server import Due, Line

Wants = Callable[[str, Alert], bool]


class MemoryAlerts:
    """Alerts for the sinks of these names."""

    def __init__(self, line: Line, sinks: Sequence[str] = ("hook",), wants: Wants = lambda *_: True) -> None:
        self._run = line.run
        self._wants = wants
        self._server = line.server
        self._sinks = tuple(sinks)

    @property
    def queued(self) -> dict[str, Alert]:
        """Everything that was ever queued, by its id."""
        return dict(self._server.alerts.items())

    async def queue(self, alert: Alert) -> None:
        await self._run(lambda: self._queue(alert))

    async def claim(self, now: float, lease: float) -> tuple[Delivery, ...]:
        return await self._run(lambda: tuple(self._claim(now, lease)))

    async def done(self, alert_id: str, sink: str) -> None:
        await self._run(lambda: self._server.due.drop((alert_id, sink)))

    async def waits(self, alert_id: str, sink: str) -> bool:
        return await self._run(lambda: self._waits((alert_id, sink)))

    async def again(self, alert_id: str, sink: str, at: float) -> None:
        await self._run(lambda: self._again((alert_id, sink), at))

    async def retry(self, alert_id: str, sink: str, at: float) -> None:
        await self._run(lambda: self._retry((alert_id, sink), at))

    async def pending(self) -> dict[str, int]:
        return await self._run(lambda: {sink: self._pending(sink) for sink in self._sinks})

    def _queue(self, alert: Alert) -> None:
        if alert.id in self._server.alerts:
            return
        if alert.status == "resolved" and (firing := self._server.alerts.get(alert_id(alert.incident, "firing"))):
            alert = replace(alert, cause=firing.cause, since=firing.at)
        self._server.alerts.put(alert.id, alert)
        for sink in filter(lambda sink: self._wants(sink, alert), self._sinks):
            self._server.due.put((alert.id, sink), Due(int(self._server.now())))

    def _claim(self, now: float, lease: float) -> list[Delivery]:
        claimed = []
        for sink in self._sinks:
            for key, due in sorted(self._server.due.items(), key=lambda item: item[1].at):
                if key[1] == sink and due.at <= now:
                    self._server.due.put(key, Due(now + lease, due.tries + 1, due.accepted))
                    claimed.append(Delivery(self._server.alerts[key[0]], sink, due.tries + 1, due.accepted))
        return claimed

    def _retry(self, key: tuple[str, str], at: float) -> None:
        if due := self._server.due.get(key):
            self._server.due.put(key, replace(due, at=at))

    def _again(self, key: tuple[str, str], at: float) -> None:
        if key in self._server.due:
            self._server.due.put(key, Due(at, 0, accepted=True))

    def _waits(self, key: tuple[str, str]) -> bool:
        due = self._server.due.get(key)
        return due is not None and not due.accepted

    def _pending(self, sink: str) -> int:
        return sum(to == sink and not due.accepted for (_, to), due in self._server.due.items())
