"""Sessions: what HTTP servers without the C parser let through, too."""

import json

import pytest
from aiohttp.test_utils import make_mocked_request

from orchestrator.web.links import Links
from orchestrator.web.requests import Refused
from orchestrator.web.sessions import Sessions, find_session, find_sid
from tests.integration.web.door import Archive, StillClock

HALF = "\udc80"


@pytest.fixture
def archive() -> Archive:
    """It is away: whoever asks it fails."""
    archive = Archive(StillClock())
    archive.down = True
    return archive


async def test_half_of_a_character_is_not_found_before_a_store_must_encode_it(archive: Archive) -> None:
    request = make_mocked_request("GET", "/sessions/x", match_info={"room": HALF * 300})
    with pytest.raises(Refused) as refused:
        await Sessions(archive, StillClock(), Links(None)).get_one(request)
    answer = refused.value.response
    assert isinstance(answer.body, bytes)
    body = json.loads(answer.body)
    assert (answer.status, body["near"]) == (404, [])
    assert body["detail"] == f'There is no session of a room or sid "{HALF * 200}…".'


async def test_nor_does_any_other_route_ask_the_store_for_it(archive: Archive) -> None:
    assert await find_sid(archive, HALF) is None
    assert await find_session(archive, HALF) is None
