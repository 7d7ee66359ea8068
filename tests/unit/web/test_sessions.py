"""Sessions: what HTTP servers without the C parser let through, too."""

import json

from aiohttp.test_utils import make_mocked_request

from orchestrator.web.links import Links
from orchestrator.web.sessions import Sessions
from tests.integration.web.door import Archive, StillClock


async def test_half_of_a_character_is_not_found_before_a_store_must_encode_it() -> None:
    clock = StillClock()
    archive = Archive(clock)
    archive.down = True
    half = "\udc80"
    request = make_mocked_request("GET", "/sessions/x", match_info={"room": half * 300})
    answer = await Sessions(archive, clock, Links(None)).get_one(request)
    assert isinstance(answer.body, bytes)
    body = json.loads(answer.body)
    assert (answer.status, body["near"]) == (404, [])
    assert body["detail"] == f'There is no session of a room or sid "{half * 200}…".'
