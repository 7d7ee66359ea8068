"""Every webhook is lost for a minute: agents come later, and a person hears of it."""

from __future__ import annotations

import time

import pytest

from tests.e2e.harness.alerts import Alert
from tests.e2e.harness.wait import wait_until
from tests.faults.judge import settled
from tests.faults.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

ROOMS = 20
SERVED_WITHIN = 35.0
TOLD_WITHIN = 60.0
LOST_FOR = 60.0
HEARD_AGAIN = 5
RESOLVED_WITHIN = 60.0


async def test_rooms_of_which_no_webhook_comes_have_agents_all_the_same_and_somebody_is_told(scene: Scene) -> None:
    await scene.reconciled()
    await scene.create("light-heard")
    await settled(scene, "light-heard")
    scene.balancer.losing = True
    rooms = [f"light-mute-{n}" for n in range(ROOMS)]
    since = time.monotonic()
    await scene.create(*rooms)
    await settled(scene, *rooms, within=SERVED_WITHIN)
    fired = await told(scene, "firing", within=TOLD_WITHIN)
    await scene.watch(max(0.0, since + LOST_FOR - time.monotonic()))
    scene.balancer.losing = False
    assert scene.balancer.lost >= 2 * ROOMS
    heard = [f"light-heard-{n}" for n in range(HEARD_AGAIN)]
    await scene.create(*heard)
    resolved = await told(scene, "resolved", within=RESOLVED_WITHIN)
    assert resolved.body["incident"] == fired.body["incident"]
    await settled(scene, "light-heard", *heard, *rooms)
    assert not scene.watched.with_two()


async def told(scene: Scene, status: str, *, within: float) -> Alert:
    """The only alert of this kind and status."""

    def received() -> list[Alert]:
        about = ("webhooks_silent", status)
        return [alert for alert in scene.alerts.received if (alert.body["type"], alert.body["status"]) == about]

    return (await wait_until(received, timeout=within, description=f"the alert of silent webhooks is {status}"))[0]
