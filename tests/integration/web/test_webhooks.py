"""POST /webhooks/livekit, through aiohttp: what it stores, what it refuses, and that it goes on after all of it."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from orchestrator.core.facts import Fact, PersonJoined, RoomOpened, RoomStarted
from orchestrator.runtime.ports import Appended, StoreUnavailable
from orchestrator.web.webhooks import PATH, Outcome, WebhookDoor, WebhookLimits
from tests.samples import KEY, SECRET, WEBHOOKS, Sample
from tests.samples.signing import claims_for, encode, signed, token, token_of

NOW = 1_800_000_000.0
LIMITS = WebhookLimits(body_bytes=4096, body_seconds=0.2, store_seconds=0.2)
PATIENCE = 5.0
"""Seconds after which a test that waits for something has failed."""

ROOM = {
    "sid": "RM_1",
    "name": "support-1",
    "creationTimeMs": "1800000000000",
    "metadata": "hush",
    "turnPassword": "hush",
}
STARTED = json.dumps({"event": "room_started", "room": ROOM, "id": "EV_1", "createdAt": "1800000000"}).encode()
JSON = "application/webhook+json"


@dataclass
class FakeIntake:
    """Keeps what it is given; can be down, can hang, can say that a room is none of ours."""

    received: list[tuple[RoomOpened, tuple[Fact, ...], str | None]] = field(default_factory=list)
    down: bool = False
    hangs: bool = False
    ignores: bool = False

    async def receive(self, opening: RoomOpened, facts: Sequence[Fact], *, event_id: str | None) -> Appended:
        if self.down:
            raise StoreUnavailable("down")
        if self.hangs:
            await asyncio.Event().wait()
        if self.ignores:
            return Appended.IGNORED
        if event_id is not None and any(event_id == known for _, _, known in self.received):
            return Appended.DUPLICATE
        self.received.append((opening, tuple(facts), event_id))
        return Appended.STORED


@dataclass
class StoppedClock:
    at: float = NOW

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Door:
    """The door of one running server, with all that stands behind it."""

    url: str
    port: int
    http: aiohttp.ClientSession
    intake: FakeIntake
    clock: StoppedClock
    outcomes: asyncio.Queue[Outcome]

    async def post(self, body: Any = STARTED, authorization: str | None = None, **headers: str) -> Answer:
        """Send a body, signed now unless an authorization is given, and read the answer."""
        if authorization is None:
            authorization = signed(body, self.clock.at)
        sent = {"Authorization": authorization, "Content-Type": JSON} | {k.replace("_", "-"): v for k, v in headers.items()}
        async with self.http.post(self.url, data=body, headers=sent) as answer:
            return Answer(answer.status, answer.content_type, answer.headers, await answer.read())

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A bare connection, closed at the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def outcome(self) -> Outcome:
        """The next outcome that was observed."""
        async with asyncio.timeout(PATIENCE):
            return await self.outcomes.get()

    async def serves(self) -> bool:
        """Whether a genuine webhook of another room is stored, still."""
        room = {"sid": "RM_after", "name": "after", "creationTimeMs": "1800000000000"}
        answer = await self.post(json.dumps({"event": "room_started", "room": room, "createdAt": "1"}).encode())
        return answer.status == 200 and self.intake.received[-1][0].sid == "RM_after"


@pytest.fixture(params=[True, False], ids=["inflating", "not-inflating"])
async def door(request: pytest.FixtureRequest) -> AsyncIterator[Door]:
    """The server as it runs in production, whether or not aiohttp inflates bodies before a handler sees them."""
    async with serving(LIMITS, auto_decompress=request.param) as running:
        yield running


@asynccontextmanager
async def serving(limits: WebhookLimits, **server: Any) -> AsyncIterator[Door]:
    intake, clock, outcomes = FakeIntake(), StoppedClock(), asyncio.Queue[Outcome]()
    handler = WebhookDoor(
        {KEY: SECRET, "APIold": "o" * 32}, intake, clock, limits, lambda seen: outcomes.put_nowait(seen.outcome)
    )
    app = web.Application()
    app.router.add_post(PATH, handler.post)
    runner = web.AppRunner(app, shutdown_timeout=0.1, **server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as http:
            yield Door(f"http://127.0.0.1:{port}{PATH}", port, http, intake, clock, outcomes)
    finally:
        await runner.cleanup()


def head(authorization: str, *lines: str) -> bytes:
    """The head of a request by hand, for what no HTTP client would send."""
    fixed = (f"POST {PATH} HTTP/1.1", "Host: rollcall", f"Content-Type: {JSON}", f"Authorization: {authorization}")
    return "\r\n".join((*fixed, *lines, "", "")).encode()


async def status_of(reader: asyncio.StreamReader) -> int:
    async with asyncio.timeout(PATIENCE):
        return int((await reader.readline()).split()[1])


async def closed(reader: asyncio.StreamReader) -> bool:
    """Whether the server ends the connection by itself, soon."""
    async with asyncio.timeout(PATIENCE):
        while await reader.read(4096):
            pass
    return True


# --- stored, and then 200 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", WEBHOOKS, ids=str)
async def test_a_recorded_webhook_is_stored(door: Door, sample: Sample) -> None:
    door.clock.at = sample.received
    answer = await door.post(sample.body, sample.token)
    assert answer.status == 200
    ((opening, facts, event_id),) = door.intake.received
    assert (opening.sid, event_id) == (sample.content["room"]["sid"], sample.content["id"])
    assert len(facts) == 1
    assert await door.outcome() is Outcome.STORED


async def test_the_facts_arrive_at_the_intake_as_they_were_parsed(door: Door) -> None:
    await door.post()
    opening = RoomOpened(room="support-1", sid="RM_1", started_at=NOW, metadata="hush")
    assert door.intake.received == [(opening, (RoomStarted(NOW),), "EV_1")]


async def test_a_webhook_that_is_sent_again_is_acknowledged_and_stored_once(door: Door) -> None:
    for _ in range(5):
        assert (await door.post()).status == 200
    assert len(door.intake.received) == 1
    assert [await door.outcome() for _ in range(5)] == [Outcome.STORED] + [Outcome.DUPLICATE] * 4


async def test_a_kind_that_we_do_not_need_is_acknowledged_and_not_stored(door: Door) -> None:
    assert (await door.post(STARTED.replace(b"room_started", b"track_published"))).status == 200
    assert door.intake.received == []
    assert await door.outcome() is Outcome.IGNORED


async def test_the_test_event_of_livekit_cloud_is_acknowledged(door: Door) -> None:
    """Its room does not exist."""
    assert (await door.post(b'{"event":"room_started","id":"EV_test"}')).status == 200
    assert await door.outcome() is Outcome.IGNORED


async def test_a_room_that_the_store_wants_nothing_of_is_acknowledged(door: Door) -> None:
    door.intake.ignores = True
    assert (await door.post()).status == 200
    assert await door.outcome() is Outcome.IGNORED


async def test_every_key_that_is_configured_may_sign(door: Door) -> None:
    assert (await door.post(STARTED, signed(STARTED, NOW, "APIold", "o" * 32))).status == 200


async def test_what_proxies_and_people_with_curl_send_is_accepted(door: Door) -> None:
    assert (await door.post(STARTED, "Bearer " + signed(STARTED, NOW), Content_Type="application/json")).status == 200


@pytest.mark.parametrize("media_type", ["application/webhook+json; charset=utf-8", "Application/JSON;charset=UTF-8"])
async def test_media_types_may_have_parameters(door: Door, media_type: str) -> None:
    assert (await door.post(Content_Type=media_type)).status == 200


async def test_a_body_in_chunks_is_a_body(door: Door) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(STARTED), 7):
            yield STARTED[at : at + 7]

    assert (await door.post(chunks(), signed(STARTED, NOW))).status == 200
    assert len(door.intake.received) == 1


async def test_one_connection_carries_many_webhooks(door: Door) -> None:
    """LiveKit keeps its connections; a room's person follows the room on the same one."""
    participant = {"sid": "PA_1", "identity": "alice"}
    joined = json.dumps({"event": "participant_joined", "room": ROOM, "participant": participant, "createdAt": 1}).encode()
    async with door.connected() as (reader, writer):
        for body in (STARTED, joined):
            writer.write(head(signed(body, NOW), f"Content-Length: {len(body)}") + body)
            assert await status_of(reader) == 200
            await reader.readuntil(b"\r\n\r\n")
    assert [facts for _, facts, _ in door.intake.received] == [
        (RoomStarted(NOW),),
        (PersonJoined("PA_1", "alice", 1.0),),
    ]


# --- 401 --------------------------------------------------------------------------------------------------------------

FORGERIES: dict[str, str] = {
    "none": "",
    "no token": "Basic ZGV2a2V5OnNlY3JldA==",
    "unsigned": f"{encode({'alg': 'none'})}.{encode(claims_for(STARTED, NOW))}.",
    "another algorithm": token(claims_for(STARTED, NOW), alg="RS256"),
    "a wrong secret": token(claims_for(STARTED, NOW), secret="another" * 6),
    "a foreign key": signed(STARTED, NOW, key="APIforeign"),
    "another body": signed(STARTED + b" ", NOW),
    "expired": signed(STARTED, NOW - 3600),
    "from the future": signed(STARTED, NOW + 3600),
    "valid for ten years": token(claims_for(STARTED, NOW) | {"exp": NOW + 10 * 365 * 86_400}),
    "without an end": token({k: v for k, v in claims_for(STARTED, NOW).items() if k != "exp"}),
    "critical": token(claims_for(STARTED, NOW), crit=["exp"]),
    "padded": token_of(encode({"alg": "HS256"}) + "=", encode(claims_for(STARTED, NOW))),
    "cut off": signed(STARTED, NOW)[:-1],
    "huge": "A" * 8000,
    "not ASCII": signed(STARTED, NOW) + "é",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_webhook_is_refused_and_changes_nothing(door: Door, forgery: str) -> None:
    answer = await door.post(STARTED, forgery)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert door.intake.received == []
    assert await door.outcome() is Outcome.FORGED
    assert await door.serves()


async def test_every_forgery_gets_the_same_answer(door: Door) -> None:
    """Whoever forges does not learn how close it was."""
    answers = [await door.post(STARTED, forgery) for forgery in FORGERIES.values()]
    assert len({(answer.status, answer.content_type, answer.body) for answer in answers}) == 1
    assert answers[0].content_type == "application/problem+json"


async def test_a_webhook_with_two_tokens_is_refused(door: Door) -> None:
    """Which of the two a proxy had checked cannot be known."""
    genuine = signed(STARTED, NOW)
    async with door.connected() as (reader, writer):
        writer.write(head(genuine, f"Authorization: {genuine}", f"Content-Length: {len(STARTED)}") + STARTED)
        assert await status_of(reader) == 401
    assert door.intake.received == []


async def test_a_replayed_webhook_is_worth_nothing_once_its_token_has_expired(door: Door) -> None:
    replay = signed(STARTED, NOW)
    assert (await door.post(STARTED, replay)).status == 200
    door.clock.at += 600
    assert (await door.post(STARTED, replay)).status == 401


# --- 400, 413, 415 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"room":{"sid":"\xff"}}', b'{"room":1}', b'{"x":' + b"[" * 1000 + b"]" * 1000 + b"}"],
    ids=["empty", "cut off", "no object", "no UTF-8", "another shape", "a thousand levels"],
)
async def test_a_signed_body_that_is_no_webhook_is_malformed(door: Door, body: bytes) -> None:
    answer = await door.post(body, signed(body, NOW))
    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert await door.outcome() is Outcome.MALFORMED
    assert await door.serves()


async def test_nothing_is_parsed_that_is_not_verified(door: Door) -> None:
    assert (await door.post(b"{", signed(STARTED, NOW))).status == 401


def padded(size: int) -> bytes:
    """A webhook of exactly this size."""
    return STARTED[:-1] + b" " * (size - len(STARTED)) + b"}"


async def test_a_body_may_have_the_limits_size_and_no_byte_more(door: Door) -> None:
    assert (await door.post(padded(LIMITS.body_bytes))).status == 200
    answer = await door.post(padded(LIMITS.body_bytes + 1))
    assert (answer.status, answer.content_type) == (413, "application/problem+json")
    assert await door.serves()


async def test_a_body_in_chunks_is_no_way_round_the_limit(door: Door) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1000

    assert (await door.post(chunks(), signed(STARTED, NOW))).status == 413
    assert door.intake.received == []
    assert await door.serves()


async def test_a_length_beyond_the_limit_is_refused_before_a_byte_of_it_came(door: Door) -> None:
    async with door.connected() as (reader, writer):
        writer.write(head(signed(STARTED, NOW), "Content-Length: 10000000000"))
        assert await status_of(reader) == 413
    assert await door.serves()


async def test_a_length_shorter_than_the_body_does_not_reach_the_store(door: Door) -> None:
    async with door.connected() as (reader, writer):
        writer.write(head(signed(STARTED, NOW), f"Content-Length: {len(STARTED) - 1}") + STARTED)
        assert await status_of(reader) in {
            400,
            401,
        }  # 400: aiohttp found in the same packet that what follows is no request
    assert door.intake.received == []
    assert await door.serves()


async def test_chunks_that_are_none_are_malformed(door: Door) -> None:
    async with door.connected() as (reader, writer):
        writer.write(head(signed(STARTED, NOW), "Transfer-Encoding: chunked"))
        writer.write(b"5\r\n{}\r\nnot a length\r\n")
        assert await status_of(reader) == 400
    assert door.intake.received == []
    assert await door.serves()


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", ""])
async def test_another_media_type_is_refused(door: Door, media_type: str) -> None:
    answer = await door.post(Content_Type=media_type)
    assert (answer.status, answer.content_type) == (415, "application/problem+json")
    assert await door.outcome() is Outcome.UNSUPPORTED
    assert door.intake.received == []
    assert await door.serves()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "gzip, identity", "rot13"])
async def test_a_compressed_body_is_refused_and_hung_up_on(door: Door, encoding: str) -> None:
    """Signed or not, nothing is inflated for it: LiveKit compresses nothing."""
    bomb = gzip.compress(b" " * 1_000_000)
    async with door.connected() as (reader, writer):
        writer.write(head(signed(bomb, NOW), f"Content-Encoding: {encoding}", f"Content-Length: {len(bomb) + 1}") + bomb)
        assert await status_of(reader) in {400, 415}  # 400: aiohttp itself could not inflate it
        assert await closed(reader)
    assert door.intake.received == []
    assert await door.serves()


async def test_identity_is_no_encoding(door: Door) -> None:
    assert (await door.post(Content_Encoding="identity")).status == 200


# --- bodies that do not come ------------------------------------------------------------------------------------------


async def test_a_body_that_stalls_is_cut_off(door: Door) -> None:
    async with door.connected() as (reader, writer):
        writer.write(head(signed(STARTED, NOW), f"Content-Length: {len(STARTED)}") + STARTED[:10])
        assert await status_of(reader) == 408
        assert await closed(reader)
    assert await door.outcome() is Outcome.STALLED
    assert door.intake.received == []
    assert await door.serves()


async def test_a_body_that_trickles_is_cut_off_all_the_same(door: Door) -> None:
    """The limit is for the whole body: each byte in time is not enough."""
    async with door.connected() as (reader, writer):
        writer.write(head(signed(STARTED, NOW), "Content-Length: 4000"))
        answer = b""
        async with asyncio.timeout(PATIENCE):
            while not answer:
                writer.write(b" ")
                with suppress(TimeoutError):
                    answer = await asyncio.wait_for(reader.readline(), LIMITS.body_seconds / 20)
        assert answer.split()[1] == b"408"
    assert await door.outcome() is Outcome.STALLED
    assert await door.serves()


async def test_a_stalled_body_holds_up_nobody_else(door: Door) -> None:
    async with door.connected() as (_, writer):
        writer.write(head(signed(STARTED, NOW), f"Content-Length: {len(STARTED)}"))
        await writer.drain()
        assert await door.serves()


@pytest.mark.parametrize("framing", [f"Content-Length: {len(STARTED)}", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("sent", [b"", b"2\r\n{}\r\n"], ids=["before", "within"])
async def test_a_client_that_goes_away_in_the_middle_is_no_error_of_ours(
    door: Door, caplog: pytest.LogCaptureFixture, framing: str, sent: bytes
) -> None:
    async with door.connected() as (_, writer):
        writer.write(head(signed(STARTED, NOW), framing) + sent)
        await writer.drain()
        writer.transport.abort()
    assert await door.serves()
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


# --- 503 --------------------------------------------------------------------------------------------------------------


async def test_livekit_is_asked_to_come_again_when_nothing_can_be_stored(door: Door) -> None:
    door.intake.down = True
    answer = await door.post()
    assert (answer.status, answer.content_type) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == str(LIMITS.retry_after)
    assert await door.outcome() is Outcome.UNAVAILABLE
    door.intake.down = False
    assert (await door.post()).status == 200
    assert len(door.intake.received) == 1


async def test_a_store_that_hangs_does_not_hang_the_rooms_queue_at_livekit(door: Door) -> None:
    door.intake.hangs = True
    async with asyncio.timeout(PATIENCE):
        answer = await door.post()
    assert (answer.status, answer.headers["Retry-After"]) == (503, str(LIMITS.retry_after))
    door.intake.hangs = False
    assert await door.serves()


async def test_a_forged_webhook_is_refused_while_nothing_can_be_stored(door: Door) -> None:
    """A 503 would have a stranger's request come again and again."""
    door.intake.down = True
    assert (await door.post(STARTED, "forged")).status == 401


# --- the log ----------------------------------------------------------------------------------------------------------


async def test_the_log_tells_what_became_of_a_webhook(door: Door) -> None:
    told = {"kind": "room_started", "room": "support-1", "sid": "RM_1"}
    with capture_logs() as lines:
        await door.post()
        await door.post(b'{"event":"track_published"}')
        await door.post(STARTED, "forged")
        door.intake.down = True
        await door.post()
    assert lines == [
        {"event": "webhook_received", "log_level": "debug", **told, "outcome": "stored"},
        {"event": "webhook_ignored", "log_level": "debug", "kind": "track_published"},
        {"event": "webhook_refused", "log_level": "warning", "outcome": "forged", "reason": "malformed"},
        {"event": "webhook_not_stored", "log_level": "warning", **told, "reason": "StoreUnavailable"},
    ]


async def test_the_log_holds_no_secret_whatever_comes(door: Door) -> None:
    """No token, no metadata, no turnPassword, no body."""
    tries: list[Callable[[], Awaitable[Any]]] = [
        door.post,
        lambda: door.post(STARTED.replace(b'"id"', b'"createdAt":"hush","id"')),
        lambda: door.post(STARTED + b" hush"),
        lambda: door.post(STARTED, signed(b"hush", NOW)),
        lambda: door.post(padded(LIMITS.body_bytes + 1)),
    ]
    with capture_logs() as lines:
        for send in tries:
            await send()
    assert len(lines) == len(tries)
    told = json.dumps(lines)
    assert "hush" not in told
    assert "eyJ" not in told
