"""Trying out every sink: a test alert, straight to it, past the outbox and the filters, and its end."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.alerting.build import Sinks
from orchestrator.alerting.ports import NotAccepted, Sink
from orchestrator.core.alerts import AlertType, alert_id
from orchestrator.runtime.ports import Alert, Clock
from orchestrator.settings import Settings


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it for one sink; `reason` says why it was not accepted, and is None when it was."""

    sink: str
    reason: str | None

    @property
    def accepted(self) -> bool:
        return self.reason is None


async def try_sinks(settings: Settings, clock: Clock) -> Sequence[Tried]:
    """Send each sink of the settings a test alert, which is resolved at once: it wakes people, and leaves nothing behind."""
    sinks = Sinks(settings, clock)
    try:
        alert = trial_alert(clock.now())
        return await asyncio.gather(*(_try(sink, alert) for sink in sinks.by_name.values()))
    finally:
        await sinks.close()


def trial_alert(now: float) -> Alert:
    """An alert of the kind that a room without an agent makes, which says what it is."""
    incident = f"test/{uuid.uuid4().hex[:8]}"
    return Alert(
        id=alert_id(incident, "firing"),
        type=AlertType.UNVERIFIED,
        status="firing",
        incident=incident,
        at=now,
        room="rollcall-test",
        agent_name="rollcall-test",
        summary="This is a test of Rollcall's alerts. Nothing is wrong.",
        fix="Nothing is to be done.",
    )


async def _try(sink: Sink, alert: Alert) -> Tried:
    resolved = replace(alert, id=f"{alert.incident}/resolved", status="resolved", since=alert.at, fix=None)
    try:
        await sink.send(alert)
        await sink.send(resolved)
    except NotAccepted as error:
        return Tried(sink.name, str(error))
    return Tried(sink.name, None)
