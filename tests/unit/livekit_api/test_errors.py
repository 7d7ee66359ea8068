"""Whatever LiveKit, a proxy or the network does, the runtime sees one of its own few errors."""

import asyncio
import traceback

import pytest

from orchestrator.core.causes import Cause
from orchestrator.livekit.api import CALL_TIMEOUT, NOT_THERE_AFTER, PULSE_MARGIN, LiveKitApi
from orchestrator.runtime.ports import (
    LiveKitError,
    LiveKitRejectedCredentials,
    LiveKitRejectedRequest,
    LiveKitUnavailable,
    NotFound,
    Pulse,
)
from tests.unit.livekit_api.server import KEY, SECRET, Adapter, HandClock, Throttled

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "unauthenticated", LiveKitRejectedCredentials),
        (403, "permission_denied", LiveKitRejectedCredentials),
        (404, "not_found", NotFound),
        (404, "bad_route", LiveKitUnavailable),
        (400, "invalid_argument", LiveKitRejectedRequest),
        (400, "malformed", LiveKitRejectedRequest),
        (408, "deadline_exceeded", LiveKitUnavailable),
        (408, "canceled", LiveKitUnavailable),
        (409, "aborted", LiveKitUnavailable),
        (412, "failed_precondition", LiveKitUnavailable),
        (429, "resource_exhausted", LiveKitUnavailable),
        (500, "internal", LiveKitUnavailable),
        (501, "unimplemented", LiveKitUnavailable),
        (503, "unavailable", LiveKitUnavailable),
    ],
)
async def test_each_answer_of_livekit_is_one_of_our_errors(
    livekit: Adapter, status: int, code: str, error: type[LiveKitError]
) -> None:
    livekit.server.refuse(status, code, "in LiveKit's words")
    with pytest.raises(LiveKitError) as raised:
        await livekit.api.delete_dispatch("support-17", "AD_1")
    assert type(raised.value) is error
    assert str(raised.value) == f"DeleteDispatch: {status} {code}: in LiveKit's words"
    assert raised.value.__cause__ is not None


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"", LiveKitRejectedCredentials),
        (401, b"invalid authorization token", LiveKitRejectedCredentials),
        (403, b"<html>blocked</html>", LiveKitRejectedCredentials),
        (400, b"", LiveKitRejectedRequest),
        (404, b"<html>no such page</html>", LiveKitUnavailable),
        (413, b"<html>too large</html>", LiveKitUnavailable),
        (502, b"<html>bad gateway</html>", LiveKitUnavailable),
        (503, b"", LiveKitUnavailable),
        (302, b"", LiveKitUnavailable),
    ],
)
async def test_an_answer_without_livekits_words_is_told_by_its_status(
    livekit: Adapter, status: int, body: bytes, error: type[LiveKitError]
) -> None:
    """A wrong secret is a 401 with an empty body; a 404 of a proxy does not mean that a dispatch is gone."""
    livekit.server.answer_bytes(status, body, "text/html")
    with pytest.raises(LiveKitError) as raised:
        await livekit.api.delete_dispatch("support-17", "AD_1")
    assert type(raised.value) is error


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"busy"', b"{", b'{"code": 5, "msg": {"a": []}}', b"\xff\xfe"])
async def test_an_error_body_that_is_no_error_of_twirp_does_no_harm(livekit: Adapter, body: bytes) -> None:
    livekit.server.answer_bytes(500, body, "application/json")
    with pytest.raises(LiveKitUnavailable):
        await livekit.api.room("support-17")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "text/html"),
        (b"<html>sign in to this network</html>", "text/html"),
        (b"{}", "application/json"),
        (b"\x0a\xff\xff", "application/protobuf"),
        (b"<html>", "application/protobuf"),
    ],
)
async def test_a_success_that_is_not_livekits_is_no_answer_and_never_an_empty_listing(
    livekit: Adapter, body: bytes, content_type: str
) -> None:
    livekit.server.answer_bytes(200, body, content_type)
    with pytest.raises(LiveKitUnavailable):
        await livekit.api.room("support-17")
    with pytest.raises(LiveKitUnavailable):
        await livekit.api.participants("support-17")


@pytest.mark.parametrize("status", [200, 500])
async def test_a_connection_that_breaks_in_the_middle_of_the_body_is_no_answer(livekit: Adapter, status: int) -> None:
    livekit.server.break_off(status)
    with pytest.raises(LiveKitUnavailable):
        await livekit.api.dispatches("support-17")


async def test_a_server_that_is_not_there_is_no_answer(unused_tcp_port: int) -> None:
    async with LiveKitApi(f"ws://127.0.0.1:{unused_tcp_port}", KEY, SECRET, clock=HandClock(), on_throttled=Throttled()) as api:
        with pytest.raises(LiveKitUnavailable, match="ListRooms: no answer"):
            await api.room("support-17")
        assert (await api.pulse("support-17", "agent", timeout=1.5)).pulse is Pulse.UNKNOWN


async def test_a_server_that_hangs_is_given_up_and_a_pulse_waits_for_livekit_to_say_that_nobody_is_there(
    livekit: Adapter,
) -> None:
    livekit.server.hang()
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def listing() -> float:
        with pytest.raises(LiveKitUnavailable):
            await livekit.api.room("support-17")
        return loop.time() - began

    async def pulse() -> float:
        assert (await livekit.api.pulse("support-17", "agent", timeout=0.1)).pulse is Pulse.UNKNOWN
        return loop.time() - began

    listed_after, asked_after = await asyncio.gather(listing(), pulse())
    assert CALL_TIMEOUT <= listed_after < CALL_TIMEOUT + 1
    assert NOT_THERE_AFTER + PULSE_MARGIN <= asked_after < CALL_TIMEOUT


@pytest.mark.parametrize("failure", ["refused", "broken off", "foreign"])
async def test_no_error_shows_a_token_or_the_secret(livekit: Adapter, failure: str) -> None:
    match failure:
        case "refused":
            livekit.server.refuse(401, "unauthenticated", "no")
        case "broken off":
            livekit.server.break_off(200)
        case _:
            livekit.server.answer_bytes(200, b"hello", "text/plain")
    with pytest.raises(LiveKitError) as raised:
        await livekit.api.room("support-17")
    told = "".join(traceback.format_exception(raised.value))
    assert SECRET not in told
    assert livekit.server.asked[0].token not in told


async def test_an_error_carries_the_cause_that_an_attempt_gets_from_it(livekit: Adapter) -> None:
    livekit.server.refuse(400, "invalid_argument")
    with pytest.raises(LiveKitError) as raised:
        await livekit.api.room("support-17")
    assert raised.value.cause is Cause.LIVEKIT_REJECTED_REQUEST


async def test_a_429_is_told_to_the_budget_whatever_the_call(livekit: Adapter) -> None:
    livekit.server.refuse(429, "resource_exhausted")
    with pytest.raises(LiveKitUnavailable):
        await livekit.api.room("support-17")
    assert livekit.throttled.times == 1
    assert (await livekit.api.pulse("support-17", "agent", timeout=1.5)).pulse is Pulse.UNKNOWN
    assert livekit.throttled.times == 2
