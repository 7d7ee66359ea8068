"""Alerts about the service as a whole: open while something stands, one incident over all replicas."""

import structlog

from orchestrator.core.alerts import alert_id
from orchestrator.runtime.ports import Alert, Alerts, Clock, Incidents

log = structlog.get_logger()


class Standing:
    """Raising again what is open changes nothing: an alert's id is its incident's. Raises StoreUnavailable."""

    def __init__(self, incidents: Incidents, alerts: Alerts, clock: Clock) -> None:
        self._incidents = incidents
        self._alerts = alerts
        self._clock = clock

    async def fire(self, kind: str, summary: str, fix: str, *, agent_name: str | None = None, sink: str | None = None) -> None:
        """Something is wrong with the service: tell every sink, once.

        `kind` is the type of alert, and behind a colon what it is about, where there may be several.
        """
        known = await self._incidents.current(kind)
        incident = known or await self._incidents.open(kind)
        if known is None:
            log.warning("alert_firing", type=kind, incident=incident, summary=summary, fix=fix)
        await self._alerts.queue(self._alert(kind, "firing", incident, summary, fix, agent_name, sink))

    async def resolve(self, kind: str, summary: str, *, agent_name: str | None = None, sink: str | None = None) -> None:
        """It is over, if it ever was."""
        incident = await self._incidents.current(kind)
        if incident is None:
            return
        # First the alert: should we die between the two, it is queued again, under the same id.
        await self._alerts.queue(self._alert(kind, "resolved", incident, summary, None, agent_name, sink))
        await self._incidents.close(kind)
        log.info("alert_resolved", type=kind, incident=incident)

    def _alert(
        self,
        kind: str,
        status: str,
        incident: str,
        summary: str,
        fix: str | None,
        agent_name: str | None,
        sink: str | None,
    ) -> Alert:
        return Alert(
            id=alert_id(incident, status),
            type=kind.partition(":")[0],
            status=status,
            incident=incident,
            at=self._clock.now(),
            agent_name=agent_name,
            summary=summary,
            fix=fix,
            sink=sink,
        )
