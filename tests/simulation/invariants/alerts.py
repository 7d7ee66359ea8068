"""Who is told: I15."""

from typing import TYPE_CHECKING

from orchestrator.core.causes import Cause
from orchestrator.core.placement import PlacementState
from orchestrator.runtime.ports import Alert
from tests.simulation.judging import Invariant

if TYPE_CHECKING:
    from tests.simulation.world import World


class OneIncident(Invariant):
    number = "I15"
    sentence = (
        "Exactly one open incident per unverified (session, placement), told of; resolved after recovery, never by silence"
    )

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._lost_at = float("-inf")

    def data_lost(self) -> None:
        self._lost_at = self.world.loop.time()

    def alerted(self, alert: Alert) -> None:
        if alert.status != "resolved" or alert.sid is None or self._lost_at > self.world.loop.time() - 15.0:
            return
        stored = self.world.server.sessions.get(alert.sid)
        session = stored.record if stored else None
        if session is None or session.ended or alert.agent_name is None:
            return
        placement = session.find_placement(alert.agent_name)
        incidents = placement.incidents if placement else ()
        if not any(i.incident == alert.incident and i.resolved_at is not None for i in incidents):
            self.broken(session.room, f"incident {alert.incident} is said to be resolved, and it is open")

    def at_the_end(self) -> None:
        told = {alert.id for alert in self.world.server.alerts.values()}
        for session in self.world.sessions():
            for placement in session.placements:
                still_open = [i for i in placement.incidents if i.resolved_at is None]
                expected = int(placement.state is PlacementState.UNVERIFIED and not session.ended)
                if len(still_open) != expected:
                    what = f"{placement.agent_name} is {placement.state}, and has {len(still_open)} open incidents"
                    self.broken(session.room, what)
                for incident in placement.incidents:
                    if incident.cause is Cause.LIVEKIT_REJECTED_CREDENTIALS:
                        continue  # of that there is one alert for all
                    statuses = ("firing", "resolved") if incident.resolved_at is not None else ("firing",)
                    for status in statuses:
                        if f"{incident.incident}/{status}" not in told and not self._lost_since(incident.opened_at):
                            self.broken(session.room, f"nobody was told that {incident.incident} is {status}")

    def _lost_since(self, time: float) -> bool:
        return self._lost_at > time - self.world.clock.now() + self.world.loop.time() - 1.0
