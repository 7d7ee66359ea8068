"""Incidents of the record become alerts in the outbox: after the commit, once each, whatever replica does it."""

from collections.abc import Callable, Iterator

from orchestrator.core import causes
from orchestrator.core.alerts import alert_id
from orchestrator.core.causes import Cause
from orchestrator.core.facts import AlertQueued
from orchestrator.core.fleet import typo_prefix
from orchestrator.core.naming import spelled
from orchestrator.core.placement import Incident, Placement
from orchestrator.core.session import Session
from orchestrator.runtime.owner import SessionOwner, Superseded
from orchestrator.runtime.ports import Alert, Alerts, Clock, StoreUnavailable

_RETRY = 1.0


class Alarm:
    """Queues the alerts of a session's incidents. Their ids come from the record, so queueing twice is queueing once."""

    def __init__(self, alerts: Alerts, clock: Clock, link: Callable[[Session], str | None]) -> None:
        self._alerts = alerts
        self._clock = clock
        self._link = link

    async def queue(self, owner: SessionOwner) -> None:
        """Until every incident's present status is in the outbox."""
        try:
            while pending := next(unqueued(owner.session), None):
                placement, incident, status = pending
                try:
                    await self._alerts.queue(self._alert(owner.session, placement, incident, status))
                except StoreUnavailable:
                    await self._clock.sleep(_RETRY)
                else:
                    await owner.record(AlertQueued(placement.agent_name, incident.incident, status))
        except Superseded:
            return

    def _alert(self, session: Session, placement: Placement, incident: Incident, status: str) -> Alert:
        firing = status == "firing"
        at = incident.opened_at if firing else incident.resolved_at
        name = placement.agent_name
        cause = placement.cause or incident.cause if firing else incident.cause
        return Alert(
            id=alert_id(incident.incident, status),
            type="unverified",
            status=status,
            incident=incident.incident,
            at=at or incident.opened_at,
            room=session.room,
            sid=session.sid,
            agent_name=name,
            cause=cause,
            summary=causes.sentence(cause, name) if firing else _resolution(session, placement),
            fix=_fix(session, name, cause) if firing else None,
            link=self._link(session),
            route=session.route or None,
        )


def unqueued(session: Session) -> Iterator[tuple[Placement, Incident, str]]:
    """What the outbox lacks: firing before resolved.

    While LiveKit refuses our key there is one alert about that, and none for each session that suffers from it.
    """
    for placement in session.placements:
        for incident in placement.incidents:
            if not incident.firing_queued:
                if not _covered(placement, incident):
                    yield placement, incident, "firing"
            elif incident.resolved_at is not None and not incident.resolved_queued:
                yield placement, incident, "resolved"


def _covered(placement: Placement, incident: Incident) -> bool:
    refused = Cause.LIVEKIT_REJECTED_CREDENTIALS
    return placement.cause is refused or (incident.cause is refused and incident.resolved_at is not None)


def _fix(session: Session, agent_name: str, cause: Cause) -> str:
    """What most likely helps; a typing error that was found goes first: it is the whole answer."""
    typo = [warning for warning in session.warnings if warning.startswith(typo_prefix(agent_name))]
    return " ".join((*typo, causes.fix(cause, agent_name)))


def _resolution(session: Session, placement: Placement) -> str:
    """Why nobody need come any more. That the agent is there is said of one that is."""
    name = spelled(placement.agent_name)
    if session.ended:
        return f"The room was closed without {name}."
    if placement.over:
        return f"{name} is not wanted in the room any more."
    if placement.wanting:
        return f"A person sees to it: {name} is still missing."
    return f"{spelled(placement.spec.agent_name)} is in the room."
