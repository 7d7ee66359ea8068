"""Each call carries a token that allows it and no more; one token serves many calls."""

import datetime

import jwt
import pytest
from livekit.protocol.models import Room
from livekit.protocol.room import DeleteRoomResponse, ListParticipantsResponse, ListRoomsResponse

from orchestrator.livekit.tokens import LIFETIME, LIMIT, REUSE, ApiTokens
from orchestrator.runtime.ports import LiveKitRejectedCredentials
from tests.e2e.harness.wait import wait_until
from tests.unit.livekit_api.server import KEY, SECRET, Adapter, HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def tokens(clock: HandClock) -> ApiTokens:
    return ApiTokens(KEY, SECRET, clock.monotonic)


@pytest.mark.asyncio
async def test_each_call_carries_the_one_right_that_it_needs(livekit: Adapter) -> None:
    livekit.server.answer(ListRoomsResponse(rooms=[Room(name="other")]))
    await livekit.api.room("support-17")
    livekit.server.answer(ListParticipantsResponse())
    await livekit.api.participants("support-17")
    livekit.server.answer(DeleteRoomResponse())
    await livekit.api.delete_room("support-17")
    rights = [
        (video.room_list, video.room_admin, video.room_create, video.room)
        for asked in livekit.server.asked
        if (video := asked.claims.video)
    ]
    assert rights == [
        (True, None, None, ""),
        (None, True, None, "support-17"),
        (None, None, True, ""),  # seen on 1.13.5: DeleteRoom refuses roomAdmin
    ]


def test_a_token_is_used_again_for_the_same_room_only(tokens: ApiTokens) -> None:
    first = tokens.to_administer("support-17")
    assert tokens.to_administer("support-17") is first
    assert tokens.to_administer("support-18") != first


def test_a_token_is_signed_anew_well_before_it_expires(tokens: ApiTokens, clock: HandClock) -> None:
    first = tokens.to_list_rooms()
    clock.time += REUSE - 0.001
    assert tokens.to_list_rooms() is first
    clock.time += 0.001
    assert tokens.to_list_rooms() is not first
    assert datetime.timedelta(seconds=REUSE) < LIFETIME


def test_a_token_expires(tokens: ApiTokens) -> None:
    claims = jwt.decode(tokens.to_list_rooms(), SECRET, algorithms=["HS256"])
    assert claims["exp"] - claims["nbf"] == pytest.approx(LIFETIME.total_seconds(), abs=1)


@pytest.mark.asyncio
async def test_after_a_401_the_next_call_signs_anew(livekit: Adapter) -> None:
    """This machine's clock may have been wrong when the refused token was signed. Tokens tell time in whole seconds."""
    livekit.server.answer_bytes(401, b"", "text/plain")

    async def refused() -> str:
        with pytest.raises(LiveKitRejectedCredentials):
            await livekit.api.room("support-17")
        return livekit.server.asked[-1].token

    first = await refused()

    async def another() -> str | None:
        token = await refused()
        return token if token != first else None

    second = await wait_until(another, description="a token of another second is sent")
    assert second != first


def test_tokens_of_rooms_that_are_not_asked_about_any_more_are_dropped(tokens: ApiTokens, clock: HandClock) -> None:
    for number in range(100):
        tokens.to_administer(f"old-{number}")
    clock.time += REUSE
    tokens.to_administer("new")
    assert len(tokens) == 1


def test_however_many_rooms_there_are_the_tokens_kept_are_bounded(clock: HandClock) -> None:
    tokens = ApiTokens(KEY, SECRET, clock.monotonic)
    for number in range(LIMIT + 10):
        tokens.to_administer(f"room-{number}")
    assert len(tokens) == LIMIT
