"""The livekit.yaml that we ship: a real livekit-server takes it, and tells what Rollcall needs to hear and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from livekit import api, rtc

from tests.e2e.harness.listening import listening
from tests.e2e.harness.livekit import LiveKitServer
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

SHIPPED = Path(__file__).parents[2] / "deploy" / "livekit.yaml"

NEEDED = {"room_started", "room_finished", "participant_joined", "participant_left", "participant_connection_aborted"}


async def test_the_livekit_yaml_that_we_ship_sends_rooms_and_participants_and_no_track(tmp_path: Path) -> None:
    heard: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(json.loads(await request.read())["event"])
        return web.Response()

    port = free_port()
    server = LiveKitServer(tmp_path, webhook_urls=[f"http://{LOOPBACK}:{port}/webhooks/livekit"])
    file = tmp_path / "livekit.yaml"
    ours, shipped = yaml.safe_load(file.read_text()), yaml.safe_load(SHIPPED.read_text())
    assert set(shipped["webhook"]["filter_params"]["include_events"]) == NEEDED
    # Where it runs is the test's affair, and what it tells is the file's.
    shipped |= {name: ours[name] for name in ("port", "bind_addresses", "rtc")}
    shipped["webhook"]["urls"] = ours["webhook"]["urls"]
    shipped["keys"] = {**ours["keys"], shipped["webhook"]["api_key"]: "another-secret-of-the-tests-with-32-characters"}
    file.write_text(yaml.safe_dump(shipped))
    try:
        async with listening(port, web.post("/webhooks/livekit", hear)):
            await server.start()
            person = rtc.Room()
            await person.connect(server.url, server.token("filtered", "person"))
            source = rtc.AudioSource(48_000, 1)
            track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
            publication = await person.local_participant.publish_track(track)
            await person.local_participant.unpublish_track(publication.sid)
            await person.disconnect()
            await source.aclose()
            await wait_until(lambda: "participant_left" in heard, description="the person has left")
            async with server.api() as livekit:
                await livekit.room.delete_room(api.DeleteRoomRequest(room="filtered"))
            await wait_until(lambda: "room_finished" in heard, description="the room has ended")
    finally:
        await server.process.clear_away()
    assert heard == ["room_started", "participant_joined", "participant_left", "room_finished"]
