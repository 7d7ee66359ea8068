"""The identity provider's keys: fetched when they are needed, kept, and never taken for something else."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from orchestrator.configuration.token import JwtEntry
from orchestrator.runtime.tasks import Tasks
from orchestrator.web.identity_provider import (
    COOLDOWN,
    FRESH,
    RETRY,
    STALE,
    IdentityProvider,
    NotAccepted,
    ProviderUnavailable,
)
from tests.e2e.harness.wait import wait_until
from tests.unit.livekit_api.server import HandClock

RSA_KEYS = [rsa.generate_private_key(public_exponent=65_537, key_size=2048) for _ in range(2)]
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def jwk(key: rsa.RSAPrivateKey, kid: str | None = "one", **more: Any) -> dict[str, Any]:
    named = {} if kid is None else {"kid": kid}
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), **named, **more}


class Provider:
    """What publishes keys, and counts who asks for them."""

    def __init__(self) -> None:
        self.document: object = {"keys": [jwk(RSA_KEYS[0])]}
        self.status = 200
        self.asked = 0
        self.hangs = False
        self.released = asyncio.Event()

    async def get(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.hangs:
            await self.released.wait()
        if self.status == 302:
            return web.Response(status=302, headers={"Location": "/elsewhere"})
        return web.Response(status=self.status, text=json.dumps(self.document), content_type="application/json")


class Known:
    """The identity provider as the door sees it, and the clock by which keys grow old."""

    def __init__(self, url: str, provider: Provider) -> None:
        self.clock = HandClock()
        self.provider = provider
        self.tasks = Tasks(lambda _name, _error: None)
        entry = JwtEntry(issuer="https://id.example", audience="rollcall", jwks_url=url)
        self.identities = IdentityProvider(entry, self.clock, self.tasks.spawn)

    async def accepts(self, token: str) -> bool:
        try:
            await self.identities.claims(token)
        except NotAccepted:
            return False
        return True


@pytest_asyncio.fixture
async def known() -> AsyncIterator[Known]:
    provider = Provider()
    app = web.Application()
    app.router.add_get("/jwks.json", provider.get)
    async with TestServer(app, host="127.0.0.1") as server:
        made = Known(str(server.make_url("/jwks.json")), provider)
        yield made
        provider.released.set()
        await made.tasks.drain(5)
        await made.identities.close()


def signed(key: Any = RSA_KEYS[0], algorithm: str = "RS256", kid: str | None = "one", **claims: Any) -> str:
    content = {"iss": "https://id.example", "aud": "rollcall", "sub": "alice", "exp": int(time.time()) + 60, **claims}
    return jwt.encode(content, key, algorithm=algorithm, headers={} if kid is None else {"kid": kid})


async def test_a_token_signed_with_a_published_key_holds(known: Known) -> None:
    assert (await known.identities.claims(signed()))["sub"] == "alice"


async def test_keys_are_fetched_once_for_all_who_ask(known: Known) -> None:
    assert all(await asyncio.gather(*(known.accepts(signed()) for _ in range(50))))
    assert known.provider.asked == 1


async def test_another_key_under_the_same_name_is_none(known: Known) -> None:
    assert not await known.accepts(signed(RSA_KEYS[1]))


async def test_keys_of_curves_and_a_choice_among_several_are_known(known: Known) -> None:
    curve = {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "curve", "use": "sig"}
    known.provider.document = {"keys": [jwk(RSA_KEYS[0]), jwk(RSA_KEYS[1], "two", alg="RS256"), curve]}
    assert await known.accepts(signed(RSA_KEYS[1], kid="two"))
    assert await known.accepts(signed(EC_KEY, "ES256", kid="curve"))
    assert not await known.accepts(signed(RSA_KEYS[1], kid="one"))
    assert not await known.accepts(signed(RSA_KEYS[0], kid=None)), "which of them?"


async def test_a_token_without_a_key_id_is_of_the_only_key_that_there_is(known: Known) -> None:
    assert await known.accepts(signed(kid=None))


async def test_a_public_key_is_no_shared_secret(known: Known) -> None:
    """Everybody knows it: a token "signed" with it by HS256 must not hold."""
    public = RSA_KEYS[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "JWT", "kid": "one"}
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    parts = [jwt.utils.base64url_encode(json.dumps(part).encode()) for part in (header, {"sub": "alice", "exp": 9e9})]
    signature = jwt.utils.base64url_encode(hmac.sign(b".".join(parts), public))
    assert not await known.accepts(b".".join([*parts, signature]).decode())
    assert known.provider.asked == 0, "it is not even looked up"


async def test_published_secrets_and_keys_for_encryption_are_not_taken(known: Known) -> None:
    secret = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": "shared"}
    known.provider.document = {"keys": [secret, jwk(RSA_KEYS[1], "two", use="enc"), {"kty": "new"}, "x", jwk(RSA_KEYS[0])]}
    assert await known.accepts(signed())
    assert not await known.accepts(signed(RSA_KEYS[1], kid="two"))
    assert not await known.accepts(signed("secret-secret-secret-secret-secret", "HS256", kid="shared"))


async def test_a_key_that_is_new_is_fetched_when_it_is_first_used(known: Known) -> None:
    assert await known.accepts(signed())
    known.provider.document = {"keys": [jwk(RSA_KEYS[0]), jwk(RSA_KEYS[1], "two")]}
    known.clock.time += COOLDOWN
    assert await known.accepts(signed(RSA_KEYS[1], kid="two"))
    assert known.provider.asked == 2


async def test_made_up_key_ids_do_not_make_us_ask_again_and_again(known: Known) -> None:
    assert await known.accepts(signed())
    for number in range(100):
        assert not await known.accepts(signed(RSA_KEYS[1], kid=f"made-up-{number}"))
    assert known.provider.asked == 1


async def test_a_key_that_is_withdrawn_holds_no_longer_than_five_minutes(known: Known) -> None:
    assert await known.accepts(signed())
    known.provider.document = {"keys": [jwk(RSA_KEYS[1], "two")]}
    known.clock.time += FRESH
    assert await known.accepts(signed()), "nobody waits while the keys are fetched"
    await known.tasks.drain(5)
    assert not await known.accepts(signed())


async def test_a_provider_that_is_away_costs_nobody_anything_while_its_keys_are_known(known: Known) -> None:
    assert await known.accepts(signed())
    known.provider.hangs = True
    known.clock.time += FRESH
    assert all([await known.accepts(signed()) for _ in range(20)])
    await wait_until(lambda: known.provider.asked == 2, description="the keys are asked for again, beside the requests")
    known.provider.status = 503
    known.provider.released.set()
    await known.tasks.drain(5)
    assert await known.accepts(signed())


async def test_keys_are_not_believed_for_ever(known: Known) -> None:
    assert await known.accepts(signed())
    known.provider.status = 503
    known.clock.time += STALE
    with pytest.raises(ProviderUnavailable):
        await known.identities.claims(signed())


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_provider_that_was_never_reached_is_asked_again_soon(known: Known, status: int) -> None:
    known.provider.status = status
    for _ in range(10):
        with pytest.raises(ProviderUnavailable):
            await known.identities.claims(signed())
    assert known.provider.asked == 1
    known.provider.status = 200
    known.clock.time += RETRY
    assert await known.accepts(signed())


@pytest.mark.parametrize("document", [[], {}, {"keys": []}, {"keys": "x"}, "x", {"keys": [{"kty": "RSA"}]}, ["x" * 300_000]])
async def test_what_is_no_key_set_is_as_good_as_no_answer(known: Known, document: object) -> None:
    known.provider.document = document
    with pytest.raises(ProviderUnavailable):
        await known.identities.claims(signed())
