"""The least that dispatches: verify the webhook, call CreateDispatch, answer. Nothing is stored, looked at or waited for.

A process of its own, of official parts: `python -m tests.benchmarks.bare_dispatcher PORT`.
"""

from __future__ import annotations

import os
import sys

from aiohttp import web
from livekit.api import CreateAgentDispatchRequest, LiveKitAPI, TokenVerifier, WebhookReceiver

from tests.benchmarks.traffic import PATH
from tests.e2e.harness.ports import LOOPBACK

LIVEKIT = web.AppKey("livekit", LiveKitAPI)


def build() -> web.Application:
    receiver = WebhookReceiver(TokenVerifier(os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"]))

    async def connect(app: web.Application) -> None:
        app[LIVEKIT] = LiveKitAPI(failover=False)

    async def close(app: web.Application) -> None:
        await app[LIVEKIT].aclose()

    async def post(request: web.Request) -> web.Response:
        event = receiver.receive(await request.text(), request.headers["Authorization"])
        if event.event == "room_started":
            wanted = CreateAgentDispatchRequest(room=event.room.name, agent_name="mary", metadata='{"persona": "mary"}')
            await request.app[LIVEKIT].agent_dispatch.create_dispatch(wanted)
        return web.Response()

    app = web.Application()
    app.on_startup.append(connect)
    app.on_cleanup.append(close)
    app.router.add_post(PATH, post)
    return app


if __name__ == "__main__":
    web.run_app(build(), host=LOOPBACK, port=int(sys.argv[1]), access_log=None)
