"""The outbox of one test, in memory: the contract of the one in Redis."""

from dataclasses import dataclass, replace

from orchestrator.core.causes import Cause
from orchestrator.runtime.ports import Alert, StoreUnavailable

FIRING = Alert(
    id="RM_1/mary/1/firing",
    type="unverified",
    status="firing",
    incident="RM_1/mary/1",
    at=1_763_712_000.5,
    room="support-17",
    sid="RM_1",
    agent_name="mary",
    cause=Cause.NOT_TAKEN,
    summary="No worker took the job of mary.",
    fix="Start one.",
    link="https://rollcall.example/#/sessions/RM_1",
)
RESOLVED = replace(
    FIRING, id="RM_1/mary/1/resolved", status="resolved", at=1_763_712_060.0, summary="mary is in the room.", fix=None
)

MANY = replace(
    FIRING,
    id="RM_1/mary/1@hook/2/firing",
    room=None,
    sid=None,
    summary="2 rooms lack mary.",
    rooms=2,
    incidents=("RM_1/mary/1", "RM_2/mary/1"),
)


@dataclass(frozen=True)
class Delivery:
    alert: Alert
    sink: str
    tries: int
    accepted: bool = False


class MemoryOutbox:
    """Alerts by sink, each with when it is due; `down` makes every call fail as an absent Redis does."""

    def __init__(self, *sinks: str) -> None:
        self._sinks = sinks
        self._due: dict[tuple[str, str], float] = {}
        self._told: set[tuple[str, str]] = set()
        self._held: set[tuple[str, str]] = set()
        self._tries: dict[tuple[str, str], int] = {}
        self._alerts: dict[str, Alert] = {}
        self.down = False
        self.deaf = False
        """Claims work, and whatever came of them cannot be stored."""

    async def queue(self, *alerts: Alert, at: float = 0.0) -> None:
        for alert in alerts:
            self._alerts[alert.id] = alert
            self._due |= {(alert.id, sink): at for sink in self._sinks}

    async def claim(self, now: float, lease: float) -> list[Delivery]:
        self._reach(down=self.down)
        claimed = []
        for (alert_id, sink), at in sorted(self._due.items(), key=lambda item: item[1]):
            if at <= now:
                self._held.discard((alert_id, sink))
                self._due[alert_id, sink] = now + lease
                self._tries[alert_id, sink] = self._tries.get((alert_id, sink), 0) + 1
                claimed.append(
                    Delivery(self._alerts[alert_id], sink, self._tries[alert_id, sink], (alert_id, sink) in self._told)
                )
        return claimed

    async def waits(self, alert_id: str, sink: str) -> bool:
        self._reach(down=self.down)
        return (alert_id, sink) in self._due and (alert_id, sink) not in self._told

    async def again(self, alert_id: str, sink: str, at: float) -> None:
        self._reach(down=self.down or self.deaf)
        if (alert_id, sink) in self._due:
            self._due[alert_id, sink] = at
            self._told.add((alert_id, sink))
            self._tries.pop((alert_id, sink))

    async def done(self, alert_id: str, sink: str) -> None:
        self._reach(down=self.down or self.deaf)
        self._due.pop((alert_id, sink), None)

    async def retry(self, alert_id: str, sink: str, at: float) -> None:
        self._reach(down=self.down or self.deaf)
        if (alert_id, sink) in self._due:
            self._due[alert_id, sink] = at

    async def hold(self, alert_id: str, sink: str, until: float) -> None:
        self._reach(down=self.down or self.deaf)
        if (alert_id, sink) in self._due:
            self._due[alert_id, sink] = until
            self._held.add((alert_id, sink))
            self._tries.pop((alert_id, sink))

    async def forgo(self, alert_id: str, end_id: str, sink: str) -> bool:
        self._reach(down=self.down or self.deaf)
        if (alert_id, sink) not in self._held:
            return False
        self._held.discard((alert_id, sink))
        del self._due[alert_id, sink], self._due[end_id, sink]
        return True

    @property
    def empty(self) -> bool:
        return not self._due

    def _reach(self, *, down: bool) -> None:
        if down:
            raise StoreUnavailable("down")
