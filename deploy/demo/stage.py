"""What the play needs: a LiveKit with a worker, real where it can be had, and the service, which always is."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.demo import parts
from deploy.demo.loopback import HOST
from deploy.demo.program import Program
from deploy.demo.screen import Screen
from deploy.demo.visit import VISITOR, open_room, visit
from deploy.tools.livekit_server import HOW_TO_GET_ONE

NO_LIVEKIT: Final = (
    f"There is {HOW_TO_GET_ONE}.\n"
    "Until then Rollcall's own sandbox plays LiveKit and the worker: nobody can join its rooms, and nobody speaks.\n"
    "The service is the real one.\n"
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything is there, and the room is still closed."""

    programs: tuple[Program, ...]
    """Without which the play is over."""
    event: str
    """How the room opens, for the screen; `{room}` is its name."""
    opened: Callable[[str], AbstractAsyncContextManager[None]]
    """The room of this name is open until the exit."""
    can_be_entered: bool = True
    """Whether a browser can join its rooms, and hear the agent."""


@asynccontextmanager
async def stage(folder: Path, port: int, screen: Screen) -> AsyncIterator[Stage]:
    """Start what there is. Raises DemoFailed."""
    binary = parts.installed_livekit_server()
    build = _played(folder, port, screen) if binary is None else _real(binary, folder, port, screen)
    async with build as built:
        yield built


@asynccontextmanager
async def _real(binary: Path, folder: Path, port: int, screen: Screen) -> AsyncIterator[Stage]:
    livekit = parts.LiveKit()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(parts.livekit_server(binary, folder, livekit, _webhook_url(port)))
        screen.started("livekit-server", livekit.url)
        service = await stack.enter_async_context(_service(folder, livekit, port, screen))
        worker = await stack.enter_async_context(parts.worker(folder, livekit, port))
        screen.started("worker", f"registered as {parts.AGENT}")
        event = f"{VISITOR} joins the room {{room}}."
        yield Stage((server, service, worker), event, lambda room: visit(livekit, room))


@asynccontextmanager
async def _played(folder: Path, port: int, screen: Screen) -> AsyncIterator[Stage]:
    livekit = parts.LiveKit()
    screen.say(NO_LIVEKIT)
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(parts.sandbox(folder, livekit, _webhook_url(port)))
        screen.started("sandbox", f"{livekit.url}, in place of a livekit-server")
        service = await stack.enter_async_context(_service(folder, livekit, port, screen))
        await parts.sandbox_worker(sandbox)
        screen.started("worker", f"registered as {parts.AGENT}, played by the sandbox")
        yield Stage((sandbox, service), "The room {room} opens.", lambda room: open_room(livekit, room), can_be_entered=False)


@asynccontextmanager
async def _service(folder: Path, livekit: parts.LiveKit, port: int, screen: Screen) -> AsyncIterator[Program]:
    async with parts.service(folder, livekit, port) as service:
        screen.started("rollcall", f"http://{HOST}:{port}, with an embedded Valkey")
        yield service


def _webhook_url(port: int) -> str:
    return f"http://{HOST}:{port}/webhooks/livekit"
