"""LiveKit's API by hand, in JSON: its answers as they are on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from livekit import api

from tests.e2e.harness.livekit import API_KEY, API_SECRET
from tests.integration.sandbox.places import Place


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> dict[str, Any]:
        decoded: dict[str, Any] = msgspec.json.decode(self.body)
        return decoded


def token(*, secret: str = API_SECRET, **grants: Any) -> str:
    return api.AccessToken(API_KEY, secret).with_grants(api.VideoGrants(**grants)).to_jwt()


async def call(place: Place, method: str, bearer: str | None, fields: Mapping[str, object]) -> Answer:
    """One call, as in `RoomService/ListRooms`; without a bearer it carries no token."""
    url = f"{place.url.replace('ws://', 'http://')}/twirp/livekit.{method}"
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    async with aiohttp.ClientSession() as http, http.post(url, json=dict(fields), headers=headers) as answer:
        return Answer(answer.status, await answer.read(), {name.lower(): value for name, value in answer.headers.items()})


async def perform_rpc(place: Place, room: str, identity: str, method: str = "rollcall.pulse") -> Answer:
    """Ask a participant, who has a second to answer."""
    bearer = token(room_admin=True, room=room)
    question = {"room": room, "destination_identity": identity, "method": method, "response_timeout_ms": 1000}
    return await call(place, "RoomService/PerformRpc", bearer, question)
