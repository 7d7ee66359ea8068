"""Incidents become alerts: firing before resolved, each once, whatever happens to the replica or the store."""

from __future__ import annotations

import pytest

from orchestrator.core.causes import Cause
from orchestrator.core.policy import Policy
from orchestrator.core.session import SessionState
from tests.unit.runtime.service import running, wants

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

ROOM = "support-17"
QUICK = Policy(attempts=1, keep_trying=0)


async def test_an_alert_says_who_is_missing_where_why_and_what_to_do() -> None:
    async with running(wants("mary", policy=QUICK)) as service:
        opening = await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").incidents and s.placement("mary").incidents[0].firing_queued)
        (alert,) = service.alerts.queued.values()
        assert (alert.type, alert.status, alert.room, alert.sid) == ("unverified", "firing", ROOM, opening.sid)
        assert (alert.agent_name, alert.cause) == ("mary", Cause.NOT_TAKEN)
        assert "mary" in alert.summary
        assert alert.fix


async def test_the_room_s_end_resolves_its_alert_under_the_same_incident() -> None:
    async with running(wants("mary", policy=QUICK)) as service:
        await service.start_room()
        await service.until(ROOM, lambda s: s.state is SessionState.UNVERIFIED)
        await service.livekit.close_room(ROOM)
        await service.clock.sleep(2)
        firing, resolved = service.alerts.queued.values()
        assert (firing.status, resolved.status) == ("firing", "resolved")
        assert firing.incident == resolved.incident
        assert firing.id != resolved.id


async def test_a_successor_queues_no_second_alert_of_the_same_incident() -> None:
    async with running(wants("mary", policy=QUICK)) as first:
        await first.start_room()
        await first.until(ROOM, lambda s: s.state is SessionState.UNVERIFIED)
        await first.ownership.stop()
        async with running(wants("mary", policy=QUICK), replica="r2", shared=first) as second:
            await second.clock.sleep(30)
            assert [a.status for a in second.alerts.queued.values()] == ["firing"]
