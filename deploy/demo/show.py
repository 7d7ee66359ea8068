"""The play: everything is started, a room opens, and the timeline of that session is told as it happens."""

import asyncio
import secrets
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from deploy.demo.failure import DemoFailed
from deploy.demo.loopback import HOST, is_free
from deploy.demo.screen import Screen
from deploy.demo.stage import stage
from deploy.demo.teller import Teller


async def show(port: int, *, once: bool, screen: Screen) -> bool:
    """Play it; whether the agent was verified. Without `once` it goes on until cancelled. Raises DemoFailed."""
    if not is_free(port):
        raise DemoFailed(f"Port {port} is taken: free it, or choose another, as in `make demo ARGS='--port 8081'`.")
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-demo-", ignore_cleanup_errors=True)))
        screen.say("Rollcall, the demo: all on this machine, with no account. Ctrl-C ends it.\n", bold=True)
        scene = await stack.enter_async_context(stage(folder, port, screen))
        room = f"demo-{secrets.token_hex(3)}"
        url = f"http://{HOST}:{port}/sessions/{room}"
        http = await stack.enter_async_context(aiohttp.ClientSession())
        teller = Teller(http, url, scene.programs, screen)
        screen.say(f"\n{scene.event.format(room=room)}\n")
        telling = asyncio.create_task(teller.until_settled())
        stack.callback(telling.cancel)
        await stack.enter_async_context(scene.opened(room))
        session = await telling
        screen.say(f"\n{session['verdict']}\n", bold=True)
        screen.say(f"Ask for it as the person on call would:\n  curl {url}")
        has_pages = await _has_page(http, port)
        if has_pages:
            screen.say(f"See it, and every other room, on the screen:\n  http://{HOST}:{port}/#/sessions/{session['sid']}")
        if scene.can_be_entered and has_pages:
            screen.say(f"Enter a room yourself, and hear the agent:\n  http://{HOST}:{port}/debug")
        if not once:
            screen.say("\nRunning until Ctrl-C; what else happens in the room is told here.")
            await teller.go_on()
    return bool(session["state"] == "verified")


async def _has_page(http: aiohttp.ClientSession, port: int) -> bool:
    """Whether the pages were built: that needs npm."""
    async with http.get(f"http://{HOST}:{port}/debug") as response:
        return response.ok
