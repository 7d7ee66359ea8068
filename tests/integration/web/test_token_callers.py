"""POST /token: who may ask, for which room, as whom, and how often."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient
from structlog.testing import capture_logs

from orchestrator.web.identity_provider import LEEWAY
from tests.integration.web.token_door import MINT, Entrance, claims_of

Http = TestClient[Any, Any]

SHARED = "a-secret-that-the-identity-provider-knows-too-and-that-is-long-enough-for-512-bits"
JWT = {"issuer": "https://id.example", "audience": "rollcall", "secret": SHARED}


def signed(secret: str = SHARED, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token of the identity provider; a claim that is None is left out."""
    now = int(time.time())
    usual = {"iss": "https://id.example", "aud": "rollcall", "sub": "alice", "iat": now, "exp": now + 60}
    content = {name: value for name, value in (usual | claims).items() if value is not None}
    return jwt.encode(content, secret, algorithm=algorithm, headers=headers)


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def ask(client: Http, headers: dict[str, str], **body: Any) -> tuple[int, dict[str, Any]]:
    response = await client.post("/token", json=body, headers=headers)
    return response.status, await response.json()


async def enters(client: Http, token: str, **body: Any) -> tuple[str, str]:
    """The room and the identity of the token that this JWT brings."""
    status, answer = await ask(client, bearing(token), **body)
    assert status == 201, answer
    claims = claims_of(answer)
    assert claims.video is not None
    return claims.video.room, claims.identity


# --- API tokens ---------------------------------------------------------------------------------------------------------


async def test_nobody_gets_a_token_without_one(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance()
    client = await aiohttp_client(entrance.app)
    for headers in ({}, bearing("guessed"), {"Authorization": "Basic bWludA=="}):
        response = await client.post("/token", json={}, headers=headers)
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert not entrance.livekit.living


@pytest.mark.parametrize("scope", ["read", "operate", "worker"])
async def test_a_token_of_another_scope_is_not_enough(aiohttp_client: AiohttpClient, scope: str) -> None:
    client = await aiohttp_client(Entrance(jwt=JWT).app)
    response = await client.post("/token", json={}, headers=bearing(f"a-token-to-{scope}"))
    assert response.status == 403
    assert 'scope="mint"' in response.headers["WWW-Authenticate"]


async def test_with_dev_nobody_needs_one(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance(dev=True).app)
    assert (await ask(client, {}))[0] == 201


async def test_a_mint_token_may_ask_for_any_room_and_for_anybody_but_an_agent(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance().app)
    assert (await ask(client, MINT, room_name="a/b c", participant_identity="anybody"))[0] == 201
    status, answer = await ask(client, MINT, participant_identity="agent-x")
    assert (status, answer["field"]) == (403, "participant_identity")


async def test_rooms_and_identities_are_those_of_the_patterns(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance(rooms="support-*", identities="web-*")
    client = await aiohttp_client(entrance.app)
    assert (await ask(client, MINT, room_name="support-1", participant_identity="web-1"))[0] == 201
    assert (await ask(client, MINT, room_name="sales-1", participant_identity="web-1"))[1]["field"] == "room_name"
    assert (await ask(client, MINT, room_name="support-1", participant_identity="ann"))[1]["field"] == "participant_identity"
    status, answer = await ask(client, MINT)
    assert status == 201
    claims = claims_of(answer)
    assert claims.video is not None
    assert claims.video.room.startswith("support-")
    assert claims.identity.startswith("web-")


async def test_a_name_that_cannot_be_made_up_must_be_said(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance(rooms="room-[0-9]").app)
    status, answer = await ask(client, MINT)
    assert (status, answer["field"]) == (400, "room_name")
    assert (await ask(client, MINT, room_name="room-7"))[0] == 201


async def test_no_pattern_lets_anybody_be_an_agent(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance(identities="agent-*", jwt=JWT).app)
    assert (await ask(client, MINT, participant_identity="agent-1"))[0] == 403
    assert (await ask(client, MINT))[0] == 403, "nor is one made up"
    assert (await ask(client, bearing(signed(sub="agent-1"))))[0] == 403


# --- how often ----------------------------------------------------------------------------------------------------------


async def test_who_asks_too_often_is_told_when_to_ask_again(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance(rate="10/m", jwt=JWT)
    client = await aiohttp_client(entrance.app)
    assert [(await ask(client, MINT))[0] for _ in range(6)] == [201] * 5 + [429]
    response = await client.post("/token", json={}, headers=MINT)
    assert (response.status, response.headers["Retry-After"]) == (429, "6")
    assert len(entrance.livekit.living) == 5, "nothing was made for the others"
    assert (await ask(client, bearing(signed(sub="alice"))))[0] == 201, "somebody else may"
    entrance.clock.at += 6
    assert (await ask(client, MINT))[0] == 201


async def test_every_subject_of_a_jwt_is_counted_by_itself(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance(rate="1/m", jwt=JWT).app)
    assert [(await ask(client, bearing(signed(sub="alice", jti=str(n)))))[0] for n in range(6)] == [201] * 5 + [429]
    assert (await ask(client, bearing(signed(sub="ben"))))[0] == 201


# --- JWTs of the identity provider --------------------------------------------------------------------------------------


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> Http:
    return await aiohttp_client(Entrance(jwt=JWT).app)


async def test_who_comes_with_a_jwt_is_its_subject(client: Http) -> None:
    assert await enters(client, signed(), room_name="lobby") == ("lobby", "alice")
    assert await enters(client, signed(), room_name="lobby", participant_identity="alice") == ("lobby", "alice")


async def test_nobody_enters_as_somebody_else(client: Http) -> None:
    status, answer = await ask(client, bearing(signed()), participant_identity="ben")
    assert (status, answer["field"]) == (403, "participant_identity")


async def test_a_mint_token_works_beside_the_identity_provider(client: Http) -> None:
    assert (await ask(client, MINT, participant_identity="ben"))[0] == 201


@pytest.mark.parametrize(
    "token",
    [
        signed("another-secret-of-at-least-thirty-two-bytes"),
        signed(algorithm="HS512"),
        signed(iss="https://evil.example"),
        signed(iss=None),
        signed(aud="another-service"),
        signed(aud=None),
        signed(exp=int(time.time()) - int(LEEWAY) - 5),
        signed(exp=None),
        signed(exp="tomorrow"),
        signed(exp=1e400),
        signed(nbf=int(time.time()) + 600),
        signed(sub=None),
        signed(sub=""),
        signed(sub=7),
        signed(sub="s" * 257),
        signed(sub="\ud800"),
        signed()[:-2],
        f"{signed()}.x",
        "eyJhbGciOiJub25lIn0." + signed().split(".")[1] + ".",
        "a.b.c",
        "é.é.é",
    ],
)
async def test_a_jwt_that_does_not_hold_is_refused_without_saying_why(client: Http, token: str) -> None:
    response = await client.post("/token", json={}, headers=bearing(token))
    assert response.status == 401
    answer = await response.json()
    assert answer["detail"] == "The bearer token is neither known nor one of the identity provider's that holds."


async def test_clocks_may_differ_a_little(client: Http) -> None:
    now = int(time.time())
    assert await enters(client, signed(exp=now - 5), room_name="r") == ("r", "alice")
    assert await enters(client, signed(nbf=now + 10, iat=now + 10), room_name="r") == ("r", "alice")


async def test_the_log_says_why_and_holds_no_token(client: Http) -> None:
    token = signed(aud="another-service")
    with capture_logs() as logs:
        await ask(client, bearing(token))
    assert [entry["reason"] for entry in logs if entry["event"] == "token_refused"] == ["InvalidAudienceError"]
    assert token not in repr(logs)


async def test_claims_say_which_rooms_and_identities_are_allowed(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance(jwt=JWT, rooms="team-{team}-*", identities="{sub}-*").app)
    red = signed(team="red")
    assert await enters(client, red, room_name="team-red-1", participant_identity="alice-phone") == (
        "team-red-1",
        "alice-phone",
    )
    assert (await ask(client, bearing(red), room_name="team-blue-1"))[1]["field"] == "room_name"
    assert (await ask(client, bearing(red), participant_identity="ben-phone"))[1]["field"] == "participant_identity"
    room, identity = await enters(client, red)
    assert room.startswith("team-red-")
    assert identity.startswith("alice-")


async def test_a_claim_that_is_a_pattern_is_none(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance(jwt=JWT, rooms="team-{team}-*").app)
    for team in ("*", "?ed", "[a-z]ed", None, "", ["red"], {"red": 1}, True):
        assert (await ask(client, bearing(signed(team=team)), room_name="team-red-1"))[0] == 403
