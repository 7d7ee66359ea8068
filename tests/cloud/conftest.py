"""The project that is measured, and the table in which it ends."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import pytest
import pytest_asyncio
from livekit import api

from orchestrator.livekit.api import LiveKitApi
from orchestrator.runtime.clock import StoreClock
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import PYTHON, Behaviour, TestWorkers, workers

VARIABLES = ("ROLLCALL_CLOUD_URL", "ROLLCALL_CLOUD_KEY", "ROLLCALL_CLOUD_SECRET")
WEBHOOKS = "ROLLCALL_CLOUD_WEBHOOKS"
"""host:port on which to listen for the project's webhooks: it must have been told to send them there."""

MEASURED = pytest.StashKey[list[tuple[str, str, str]]]()


@dataclass(frozen=True)
class Project:
    """A LiveKit Cloud project, or what one puts in its place."""

    url: str
    key: str
    secret: str
    webhooks: str | None

    def environment(self) -> dict[str, str]:
        return {"LIVEKIT_URL": self.url, "LIVEKIT_API_KEY": self.key, "LIVEKIT_API_SECRET": self.secret}

    def api(self) -> api.LiveKitAPI:
        """LiveKit's own client, which repeats nothing."""
        return api.LiveKitAPI(self.url, self.key, self.secret, failover=False)

    def token(self, room: str) -> str:
        return (
            api.AccessToken(self.key, self.secret)
            .with_identity("rollcall-cloud")
            .with_grants(api.VideoGrants(room_admin=True, room=room))
            .to_jwt()
        )


class Table:
    """What was measured, what is assumed, and what was seen."""

    def __init__(self, rows: list[tuple[str, str, str]]) -> None:
        self._rows = rows

    def add(self, what: str, assumed: str, measured: str) -> None:
        self._rows.append((what, assumed, measured))


@pytest.fixture(scope="session")
def project() -> Project:
    url, key, secret, webhooks = (
        os.environ.get(name, "").strip()  # noqa: TID251 - variables of these tests, no settings
        for name in (*VARIABLES, WEBHOOKS)
    )
    if not (url and key and secret):
        pytest.skip(f"set {', '.join(VARIABLES)} to measure a project")
    if not PYTHON.exists():
        pytest.skip(f"no worker environment at {PYTHON}: run `make setup`")
    return Project(url, key, secret, webhooks or None)


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Table:
    return Table(request.config.stash.setdefault(MEASURED, []))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash.get(MEASURED, [])
    if rows:
        terminalreporter.section("measured, for docs/how-to/livekit-cloud.md")
        terminalreporter.write_line("| what | assumed | measured |\n|---|---|---|")
        for row in rows:
            terminalreporter.write_line(f"| {' | '.join(row)} |")


@pytest.fixture(scope="session")
def names() -> dict[str, str]:
    """Agent names that nobody else in the project has: a well-behaved one, and one whose jobs die."""
    chance = uuid.uuid4().hex[:8]
    return {"light": f"rollcall-cloud-light-{chance}", "dying": f"rollcall-cloud-dying-{chance}"}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def crew(project: Project, names: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestWorkers]:
    behaviours: dict[str, Behaviour] = {names["light"]: "light", names["dying"]: "dying"}
    async with workers(tmp_path_factory.mktemp("cloud"), project, behaviours) as registered:
        yield registered


@pytest.fixture
def throttled() -> list[float]:
    """When a call was answered 429, by the monotonic clock."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def ours(project: Project, throttled: list[float]) -> AsyncIterator[LiveKitApi]:
    """The calls as the service makes them."""
    clock = StoreClock()
    note = partial(_note, throttled, clock)
    client = LiveKitApi(project.url, project.key, project.secret, clock=clock, on_throttled=note)
    async with client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def room(project: Project) -> AsyncIterator[str]:
    """The name of a room of our own, which exists, and is gone afterwards."""
    name = f"rollcall-cloud-{uuid.uuid4().hex[:12]}"
    async with project.api() as livekit:
        await livekit.room.create_room(api.CreateRoomRequest(name=name, empty_timeout=60))

        async def listed() -> bool:
            found = await livekit.room.list_rooms(api.ListRoomsRequest(names=[name]))
            return bool(found.rooms)

        try:
            await wait_until(listed, description="the room is listed")
            yield name
        finally:
            await livekit.room.delete_room(api.DeleteRoomRequest(room=name))


def _note(throttled: list[float], clock: StoreClock) -> None:
    throttled.append(clock.monotonic())
