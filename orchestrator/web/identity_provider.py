"""JWTs of the team's own identity provider, in place of a mint token.

Keys come from the provider's JWKS: fetched when they are first needed, kept, and fetched again when they are old, beside
the requests, or when a token names a key that they lack; for all callers together, and not more often than `COOLDOWN`.
So a provider that is away costs nobody anything as long as its keys are known.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import aiohttp
import jwt
import structlog

from orchestrator.configuration.token import JwtEntry
from orchestrator.runtime.ports import Clock, RollcallError

log = structlog.get_logger()

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a public key. HS256 is not among them: with it a public key would do for a shared secret."""

SHARED: Final = ("HS256",)

LEEWAY: Final = 30.0
"""Seconds by which the provider's clock and ours may be apart."""

SUBJECT_BYTES: Final = 256
"""Of an identity, livekit-server takes no more."""

FRESH: Final = 300.0
"""Seconds after which the keys are fetched again: a key that the provider withdraws is then taken no more."""

STALE: Final = 86_400.0
"""Seconds for which keys are taken at most while the provider cannot be reached."""

COOLDOWN: Final = 30.0
"""Seconds between two fetches: anybody can name a key that does not exist."""

RETRY: Final = 5.0
"""Seconds from a fetch that failed to the next one."""

FETCH_SECONDS: Final = 5.0
JWKS_BYTES: Final = 256 * 1024


class NotAccepted(RollcallError):
    """Permanent: this token is none of the provider's for us, or not any more. The message is for our log alone."""


class ProviderUnavailable(RollcallError):
    """Temporary: the provider's keys are not known and cannot be had."""


Spawn = Callable[[str, Coroutine[Any, Any, None]], object]
"""Starts a task by a name."""


class IdentityProvider:
    """Whose word on who somebody is counts here. To be made inside a running event loop, and closed."""

    def __init__(self, entry: JwtEntry, clock: Clock, spawn: Spawn) -> None:
        self._entry = entry
        self._secret = entry.secret.get_secret_value() if entry.secret is not None else None
        self._keys = None if entry.jwks_url is None else KeySet(entry.jwks_url, clock, spawn)

    async def close(self) -> None:
        if self._keys is not None:
            await self._keys.close()

    async def claims(self, token: str) -> dict[str, Any]:
        """The claims of a token that holds; `sub` is text. Raises NotAccepted and ProviderUnavailable.

        The token is as long as a request's header may be, at most.
        """
        try:
            if self._keys is None:
                claims = self._decoded(token, self._secret or "", SHARED)
            else:
                claims = self._decoded(token, await self._keys.key(_key_id(token)), ALGORITHMS)
            subject = len(claims["sub"].encode())
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:  # claims may be of any kind and size
            raise NotAccepted(type(error).__name__) from error
        if not 0 < subject <= SUBJECT_BYTES:
            raise NotAccepted("a subject of no use")
        return claims

    def _decoded(self, token: str, key: jwt.PyJWK | str, algorithms: tuple[str, ...]) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=list(algorithms),
            issuer=self._entry.issuer,
            audience=self._entry.audience,
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )


def _key_id(token: str) -> str | None:
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:
        raise NotAccepted("algorithm")
    key_id = header.get("kid")
    return key_id if isinstance(key_id, str) else None


class KeySet:
    """The keys of one JWKS URL."""

    def __init__(self, url: str, clock: Clock, spawn: Spawn) -> None:
        self._url = url
        self._clock = clock
        self._spawn = spawn
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS), cookie_jar=aiohttp.DummyCookieJar()
        )
        self._keys: Mapping[str | None, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._next_fetch_at = float("-inf")
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        await self._http.close()

    async def key(self, key_id: str | None) -> jwt.PyJWK:
        """The key of this id; without an id, the only one there is. Raises NotAccepted and ProviderUnavailable."""
        if self._age >= STALE or key_id not in self._keys:
            await self._fetch()
        elif self._age >= FRESH and self._may_fetch:
            self._spawn("identity-provider-keys", self._fetch())
        if self._age >= STALE:
            raise ProviderUnavailable("its keys are not known")
        found = self._keys.get(key_id)
        if found is None:
            raise NotAccepted("no such key")
        return found

    @property
    def _age(self) -> float:
        return self._clock.monotonic() - self._fetched_at

    @property
    def _may_fetch(self) -> bool:
        return self._clock.monotonic() >= self._next_fetch_at

    async def _fetch(self) -> None:
        """Once for all who wait for it."""
        async with self._lock:
            if not self._may_fetch:
                return
            self._next_fetch_at = self._clock.monotonic() + RETRY
            try:
                keys = _keys_in(await self._document())
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError) as error:
                log.warning("identity_provider_unavailable", error=type(error).__name__, keys_known=len(self._keys))
                return
            self._keys = keys
            self._fetched_at = self._clock.monotonic()
            self._next_fetch_at = self._fetched_at + COOLDOWN
            log.info("identity_provider_keys", keys=len(keys))

    async def _document(self) -> object:
        # No redirects: they would lead where nobody has configured, and maybe without TLS.
        async with self._http.get(self._url, allow_redirects=False, headers={"Accept": "application/json"}) as response:
            if response.status != 200:  # noqa: PLR2004 - HTTP's own word for success
                raise ValueError("not 200")
            body = await response.content.read(JWKS_BYTES + 1)
            while len(body) <= JWKS_BYTES and (chunk := await response.content.read(JWKS_BYTES + 1 - len(body))):
                body += chunk
        if len(body) > JWKS_BYTES:
            raise ValueError("too large")
        return json.loads(body)


def _keys_in(document: object) -> Mapping[str | None, jwt.PyJWK]:
    """The keys for signatures, by id. Raises ValueError where there is none: that is no JWKS of an identity provider."""
    listed = document.get("keys") if isinstance(document, dict) else None
    found = [key for entry in listed if (key := _usable(entry)) is not None] if isinstance(listed, list) else []
    if not found:
        raise ValueError("no key that could be used")
    keys: dict[str | None, jwt.PyJWK] = {key.key_id: key for key in found if isinstance(key.key_id, str)}
    if len(found) == 1:
        keys[None] = found[0]
    return keys


def _usable(entry: object) -> jwt.PyJWK | None:
    """A public key for signatures; None for what is meant for something else, or for a later version of this library."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(entry)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    return key if key.algorithm_name in ALGORITHMS else None
