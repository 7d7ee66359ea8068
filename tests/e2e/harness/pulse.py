"""PerformRpc, by hand: the question that any participant answers, asked without any of Rollcall's code."""

from __future__ import annotations

import aiohttp
from livekit import api

from tests.e2e.harness.livekit import API_KEY, API_SECRET, LiveKitServer


async def perform_rpc(server: LiveKitServer, room: str, identity: str, method: str, *, timeout: float = 1.5) -> tuple[int, str]:
    """The HTTP status and the body of the answer."""
    token = api.AccessToken(API_KEY, API_SECRET).with_grants(api.VideoGrants(room_admin=True, room=room)).to_jwt()
    question = {
        "room": room,
        "destination_identity": identity,
        "method": method,
        "payload": "",
        "response_timeout_ms": round(timeout * 1000),
    }
    url = server.url.replace("ws://", "http://") + "/twirp/livekit.RoomService/PerformRpc"
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, json=question, headers={"Authorization": f"Bearer {token}"}) as answer,
    ):
        return answer.status, await answer.text()
