"""What only a sandbox does: its faults, as a caller over HTTP meets them."""

import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from livekit import api

from orchestrator.core.facts import CandidateSpec
from orchestrator.core.proof import Key
from orchestrator.livekit.api import LiveKitApi
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.ports import (
    LiveKitRejectedCredentials,
    LiveKitUnavailable,
    Pulse,
)
from orchestrator.runtime.tasks import Tasks
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.server import serving
from orchestrator.sandbox.signing import Credentials
from orchestrator.sandbox.timing import Timing
from orchestrator.sandbox.workers import Behaviour
from tests.e2e.harness.livekit import API_KEY, API_SECRET
from tests.e2e.harness.ports import LOOPBACK
from tests.e2e.harness.wait import wait_until
from tests.integration.conftest import crashed
from tests.integration.sandbox.receiver import receiver

KEY = Key("RM_1", "mary", 1, "0a1b")
PATIENCE = 0.3


@dataclass
class Throttled:
    times: int = 0

    def __call__(self) -> None:
        self.times += 1


@dataclass(frozen=True)
class Front:
    """A sandbox over HTTP, and Rollcall's own adapter on it, which waits for `PATIENCE` seconds."""

    sandbox: Sandbox
    url: str
    livekit: LiveKitApi
    throttled: Throttled


@asynccontextmanager
async def front(*webhook_urls: str, faults: Faults = Faults()) -> AsyncIterator[Front]:
    tasks, clock, throttled = Tasks(crashed), StoreClock(), Throttled()
    chance = random.Random(1)  # noqa: S311  # plays with faults, and keeps no secrets
    sandbox = Sandbox(clock, chance, tasks.spawn, faults=faults, timing=Timing(registration=(0.0, 0.0)))
    credentials = Credentials(API_KEY, API_SECRET)
    try:
        async with serving(sandbox, clock, credentials, host=LOOPBACK, port=0, webhook_urls=webhook_urls) as port:
            url = f"http://{LOOPBACK}:{port}"
            async with LiveKitApi(url, API_KEY, API_SECRET, clock=clock, on_throttled=throttled, timeout=PATIENCE) as livekit:
                yield Front(sandbox, url, livekit, throttled)
            await tasks.cancel()
    finally:
        await tasks.cancel()


async def test_it_says_that_it_is_there() -> None:
    async with front() as f, aiohttp.ClientSession() as http, http.get(f.url) as answer:
        assert (answer.status, await answer.text()) == (200, "OK")


async def test_a_call_whose_reply_is_lost_was_executed() -> None:
    async with front(faults=Faults(lost_reply=1.0)) as f:
        with pytest.raises(LiveKitUnavailable):
            await f.livekit.create_dispatch("r", CandidateSpec("mary", ""), KEY)
        f.sandbox.faults = Faults()
        assert [dispatch.key for dispatch in await f.livekit.dispatches("r") if dispatch.agent_name] == [KEY]


async def test_a_call_that_hangs_was_not() -> None:
    async with front(faults=Faults(api_hang=1.0)) as f:
        with pytest.raises(LiveKitUnavailable):
            await f.livekit.create_dispatch("r", CandidateSpec("mary", ""), KEY)
        f.sandbox.faults = Faults()
        assert await f.livekit.rooms() == ()


async def test_rejected_credentials_are_rejected_credentials() -> None:
    async with front(faults=Faults(rejects_credentials=True)) as f:
        with pytest.raises(LiveKitRejectedCredentials):
            await f.livekit.rooms()


async def test_some_refusals_say_that_there_were_too_many_calls() -> None:
    async with front(faults=Faults(api_error=1.0)) as f:
        for _ in range(20):
            with pytest.raises(LiveKitUnavailable):
                await f.livekit.rooms()
        assert 0 < f.throttled.times < 20


async def test_a_server_that_is_down_breaks_the_connection_and_one_that_came_back_does_not() -> None:
    async with front() as f:
        f.sandbox.restart(keeps_state=False, down=PATIENCE)
        with pytest.raises(LiveKitUnavailable):
            await f.livekit.rooms()

        async def answers() -> bool:
            try:
                return await f.livekit.rooms() == ()
            except LiveKitUnavailable:
                return False

        await wait_until(answers, description="the sandbox is up again")


@pytest.mark.parametrize(
    ("faults", "pulse"),
    [
        (Faults(), Pulse.ALIVE),
        (Faults(no_perform_rpc=True), Pulse.UNSUPPORTED),
    ],
)
@pytest.mark.parametrize("knows_pulse", [True, False])
async def test_the_pulse_reads_its_answers(faults: Faults, pulse: Pulse, knows_pulse: bool) -> None:
    async with front(faults=faults) as f:
        worker = f.sandbox.start_worker("mary", behaviour=Behaviour(knows_pulse=knows_pulse))
        await wait_until(lambda: worker.registered, description="the worker has registered")
        await f.livekit.create_dispatch("r", CandidateSpec("mary", ""), KEY)
        [agent] = await wait_until(lambda: f.sandbox.living_agents("r"), description="the agent is there")
        assert (await f.livekit.pulse("r", agent.identity, timeout=1.0)).pulse is pulse


async def test_a_frozen_agent_is_silent() -> None:
    async with front() as f:
        worker = f.sandbox.start_worker("mary")
        await wait_until(lambda: worker.registered, description="the worker has registered")
        await f.livekit.create_dispatch("r", CandidateSpec("mary", ""), KEY)
        [agent] = await wait_until(lambda: f.sandbox.living_agents("r"), description="the agent is there")
        agent.freeze(None)
        asked_at = time.monotonic()
        assert (await f.livekit.pulse("r", agent.identity, timeout=0.5)).pulse is Pulse.SILENT
        assert time.monotonic() - asked_at == pytest.approx(0.5, abs=0.3)


async def test_it_holds_more_metadata_than_it_takes() -> None:
    async with front() as f, api.LiveKitAPI(f.url, API_KEY, API_SECRET, failover=False) as livekit:
        room = await livekit.room.create_room(api.CreateRoomRequest(name="r", metadata="x" * 1_000_000))
        assert len(room.metadata) == 1_000_000


# --- webhooks ----------------------------------------------------------------------------------------------------------


async def test_every_receiver_gets_every_webhook() -> None:
    async with receiver() as first, receiver() as second, front(first.url, second.url) as f:
        f.sandbox.create_room("r")
        heard = [await one.wait_for("room_started", room="r") for one in (first, second)]
        assert heard[0].raw == heard[1].raw
        assert f.sandbox.tally.webhooks == 1


async def test_a_webhook_that_nobody_took_is_sent_again() -> None:
    async with receiver() as there, front(there.url) as f:
        there.refuse_next(503)
        f.sandbox.create_room("r")
        await wait_until(lambda: len(there.of("r")) == 2, description="the webhook came twice")
        first, second = there.of("r")
        assert first.raw == second.raw
        assert second.received_at - first.received_at == pytest.approx(1.0, abs=0.5)


async def test_a_webhook_that_was_refused_for_good_is_lost() -> None:
    async with receiver() as there, front(there.url) as f:
        there.refuse_next(404)
        f.sandbox.create_room("r")
        await wait_until(lambda: f.sandbox.tally.webhooks_lost == 1, description="the webhook is given up")
        assert len(there.of("r")) == 1


async def test_without_a_receiver_webhooks_are_lost() -> None:
    async with front() as f:
        f.sandbox.create_room("r")
        await wait_until(lambda: f.sandbox.tally.webhooks_lost == 1, description="the webhook is given up")


async def test_a_receiver_that_hangs_blocks_its_room_and_no_other() -> None:
    async with receiver() as there, front(there.url) as f:
        there.hang.add("r")
        f.sandbox.create_room("r")
        await wait_until(lambda: there.of("r"), description="the webhook of r hangs")
        f.sandbox.delete_room("r")
        f.sandbox.create_room("s")
        await there.wait_for("room_started", room="s")
        assert [heard.event for heard in there.of("r")] == ["room_started"]
