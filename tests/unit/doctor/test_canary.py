"""A canary is dispatched into a scratch room: the agent comes and answers, or why it did not is said; the room goes."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from orchestrator import contract
from orchestrator.doctor.agents import Announced
from orchestrator.doctor.canary import Canaries, names, wanted
from orchestrator.doctor.findings import Finding
from orchestrator.doctor.scratch import ScratchRooms
from orchestrator.doctor.service import Access, Service
from orchestrator.sandbox.direct import DirectLiveKit
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.workers import Behaviour
from orchestrator.settings import Settings
from tests.unit.sandbox.world import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

AGENTS: dict[str, Any] = {
    "mary": {"metadata": {"persona": "mary"}},
    "tom": {"policy": {"join_window": "3s", "accept_window": "0s"}},
}
ROUTES: list[Any] = [
    {"room": "support-{team}-*", "agents": ["mary"], "metadata": {"team": "{team}", "of": "{room}"}},
]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    given: dict[str, Any] = {"agents": AGENTS, "routes": ROUTES}
    return Settings(**given)


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Trial:
    """A sandbox, and the canaries that are sent into it."""

    def __init__(self, on: World, settings: Settings, http: aiohttp.ClientSession) -> None:
        livekit = DirectLiveKit(on.sandbox, on.clock)
        self.world = on
        self.scratch = ScratchRooms(livekit)
        announced = Announced(Service(Access((), None, expected=False), http))
        self.canaries = Canaries(settings, livekit, self.scratch, announced, on.clock)

    async def of(self, agent_name: str) -> Finding:
        (finding,) = await self.canaries.examine(agent_name)
        return finding

    async def scratch_rooms(self) -> list[str]:
        return [room.name for room in await self.world.sandbox.list_rooms() if room.name.startswith(contract.SCRATCH_PREFIX)]


async def test_an_agent_that_comes_and_answers_is_well_and_its_room_is_gone(
    settings: Settings, http: aiohttp.ClientSession
) -> None:
    async with world() as on:
        await on.worker("mary")
        trial = Trial(on, settings, http)

        finding = await trial.of("mary")

        assert finding.status == "ok"
        assert finding.message.startswith("It joined 0.")
        assert await trial.scratch_rooms() == []


async def test_it_is_told_what_its_first_route_would_tell_it_and_that_it_is_a_trial(
    settings: Settings, http: aiohttp.ClientSession
) -> None:
    seen: list[str] = []

    def note(job: Any) -> float:
        seen.append(job.metadata)
        return 0.1

    async with world() as on:
        await on.worker("mary", behaviour=Behaviour(answer_after=note))
        await Trial(on, settings, http).of("mary")

    told = json.loads(seen[0])
    assert (told["persona"], told["team"]) == ("mary", "scratch")
    assert told["of"].startswith(contract.SCRATCH_PREFIX)
    assert told[contract.RESERVED_KEY]["scratch"] is True


@pytest.mark.parametrize(
    ("behaviour", "cause", "seconds"),
    [
        (None, "not_taken", 6),
        (Behaviour(refuses="terminate"), "job_rejected", 6),
        (Behaviour(crashes="before_join"), "never_joined", 15),
    ],
)
async def test_why_nobody_came_is_said_as_soon_as_it_is_known(
    behaviour: Behaviour | None, cause: str, seconds: float, settings: Settings, http: aiohttp.ClientSession
) -> None:
    async with world() as on:
        if behaviour is not None:
            await on.worker("mary", behaviour=behaviour)
        trial = Trial(on, settings, http)

        finding = await trial.of("mary")

        assert (finding.status, finding.subject) == ("failed", "mary")
        assert f"within {seconds} s ({cause})" in finding.message
        assert "mary" in finding.fix
        assert await trial.scratch_rooms() == []


async def test_an_agent_that_is_there_and_silent_has_failed(settings: Settings, http: aiohttp.ClientSession) -> None:
    async with world() as on:
        await on.worker("mary", behaviour=Behaviour(crashes="after_join"))

        finding = await Trial(on, settings, http).of("mary")

    assert finding.status == "failed"
    assert "answers nothing" in finding.message


async def test_a_server_that_cannot_ask_agents_is_no_fault_of_theirs(settings: Settings, http: aiohttp.ClientSession) -> None:
    async with world(faults=Faults(no_perform_rpc=True)) as on:
        await on.worker("mary")

        finding = await Trial(on, settings, http).of("mary")

    assert finding.status == "ok"
    assert "cannot ask it" in finding.message


async def test_an_agent_that_joins_after_its_canary_was_given_up_finds_its_room_closed_again(
    settings: Settings, http: aiohttp.ClientSession
) -> None:
    async with world() as on:
        await on.worker("tom", behaviour=Behaviour(start_after=5.0))
        trial = Trial(on, settings, http)

        finding = await trial.of("tom")
        await on.clock.sleep(10)

        assert "never_joined" in finding.message
        assert await trial.scratch_rooms() == []


async def test_a_canary_that_is_cut_off_leaves_no_room_behind(settings: Settings, http: aiohttp.ClientSession) -> None:
    async with world() as on:
        trial = Trial(on, settings, http)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await trial.of("mary")

        assert await trial.scratch_rooms() == []


async def test_what_cannot_be_deleted_is_found_by_the_sweep(settings: Settings, http: aiohttp.ClientSession) -> None:
    async with world() as on:
        trial = Trial(on, settings, http)
        async with trial.scratch.room() as room:
            on.sandbox.faults = Faults(rejects_credentials=True)
        assert await trial.scratch.sweep() == (room.name,)
        on.sandbox.faults = Faults()

        assert await trial.scratch.sweep() == ()
        assert await trial.scratch_rooms() == []


async def test_canaries_are_sent_for_all_agents_of_the_configuration_or_for_those_that_are_asked_for(
    settings: Settings,
) -> None:
    assert names(settings, ()) == ("mary", "tom")
    assert names(settings, ("tom", "other", "tom")) == ("tom", "other")
    assert wanted(settings) == ("mary",)
