"""What a PerformRpc tells about the participant that was asked. The messages are LiveKit's own, of 1.13.5."""

import pytest
from aiohttp import web
from livekit.api.twirp_client import ServerError
from livekit.protocol.room import PerformRpcRequest, PerformRpcResponse

from orchestrator.livekit.pulse import pulse_in
from orchestrator.runtime.ports import Pulse
from tests.unit.livekit_api.server import Adapter


@pytest.mark.parametrize(
    ("status", "code", "message", "pulse"),
    [
        (
            400,
            "invalid_argument",
            "twirp error unknown: RpcError 1400: Method not supported at destination",
            Pulse.ALIVE,
        ),
        (500, "internal", "twirp error unknown: RpcError 1500: Application error in method handler", Pulse.ALIVE),
        (500, "internal", "twirp error unknown: RpcError 42: the agent's own", Pulse.ALIVE),
        (500, "malformed_response", "twirp error unknown: RpcError 1504: Response payload too large", Pulse.ALIVE),
        (408, "canceled", "twirp error unknown: RpcError 1502: Response timeout", Pulse.SILENT),
        (408, "canceled", "twirp error unknown: RpcError 1501: Connection timeout", Pulse.SILENT),
        (503, "unavailable", "twirp error unknown: RpcError 1503: Recipient disconnected", Pulse.NOT_THERE),
        (404, "not_found", "twirp error unknown: RpcError 1401: Recipient not found", Pulse.NOT_THERE),
        (501, "unimplemented", "twirp error unknown: RpcError 1403: RPC not supported by server", Pulse.UNKNOWN),
        (503, "unavailable", "twirp error unknown: no response from servers", Pulse.NOT_THERE),
        (404, "not_found", "twirp error unknown: participant does not exist", Pulse.NOT_THERE),
        (404, "bad_route", 'no handler for path "/twirp/livekit.RoomService/PerformRpc"', Pulse.UNSUPPORTED),
        (404, "unknown", "", Pulse.UNKNOWN),
        (503, "unknown", "", Pulse.UNKNOWN),
        (500, "internal", "twirp error unknown: data channel is not available", Pulse.UNKNOWN),
        (408, "deadline_exceeded", "twirp error unknown: request timed out", Pulse.UNKNOWN),
        (429, "resource_exhausted", "too many requests", Pulse.UNKNOWN),
        (401, "unknown", "", Pulse.UNKNOWN),
    ],
)
def test_each_refusal_means_what_it_says(status: int, code: str, message: str, pulse: Pulse) -> None:
    assert pulse_in(ServerError(code, message, status=status)) is pulse


def test_the_agents_own_words_do_not_speak_for_livekit() -> None:
    """An agent that quotes a timeout of somebody else has answered."""
    message = "twirp error unknown: RpcError 1500: upstream said RpcError 1502: Response timeout"
    assert pulse_in(ServerError("internal", message, status=500)) is Pulse.ALIVE


@pytest.mark.asyncio
async def test_an_answer_is_life_and_the_question_is_the_one_that_was_agreed(livekit: Adapter) -> None:
    livekit.server.answer(PerformRpcResponse(payload="pong"))
    assert (await livekit.api.pulse("support-17", "agent-AJ_1", timeout=1.5)).pulse is Pulse.ALIVE
    (asked,) = livekit.server.asked
    assert asked.method == "PerformRpc"
    assert PerformRpcRequest.FromString(asked.body) == PerformRpcRequest(
        room="support-17", destination_identity="agent-AJ_1", method="rollcall.pulse", response_timeout_ms=1500
    )


@pytest.mark.asyncio
async def test_the_round_trip_is_measured_by_the_monotonic_clock(livekit: Adapter) -> None:
    livekit.server.answer(PerformRpcResponse())
    answer = livekit.server.behaviour
    assert answer is not None

    async def after_three_milliseconds(request: web.Request) -> web.StreamResponse:
        livekit.clock.time += 0.003
        return await answer(request)

    livekit.server.behaviour = after_three_milliseconds
    reply = await livekit.api.pulse("support-17", "agent-AJ_1", timeout=1.5)
    assert reply.rtt_ms == pytest.approx(3)
