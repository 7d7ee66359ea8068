"""The ways into the screen that need no bearer token: the cookie of a login, and the word of a proxy before us."""

import hashlib
import hmac
import re
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol

from aiohttp import web

from orchestrator.configuration.credentials import Scope
from orchestrator.configuration.screen import ProxyEntry
from orchestrator.core.login import Login
from orchestrator.runtime.ports import Clock
from orchestrator.web.auth import INCLUDES, NOBODY, Access, Bearers, By

COOKIE: Final = "rollcall_login"

LIFETIME: Final = 12 * 3600.0
"""Seconds: a shift. Whoever has the page open then logs in again."""

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""32 random bytes, as `secrets.token_urlsafe` writes them."""

_LONGEST_NAME: Final = 200


class LoginStore(Protocol):
    """Logins by the digest of their cookie. Every method raises StoreUnavailable."""

    async def add(self, digest: str, login: Login, *, seconds: float) -> None: ...

    async def find(self, digest: str) -> Login | None: ...

    async def drop(self, digest: str) -> None: ...


class ScreenEntrance:
    """By cookie first: whoever logged in on purpose may more, or less, than the proxy says."""

    def __init__(self, bearers: Bearers, logins: LoginStore, clock: Clock, proxy: ProxyEntry | None, secret: str) -> None:
        """`secret`: the same on all replicas; what comes of it is shown, it itself never."""
        self._bearers = bearers
        self._logins = logins
        self._clock = clock
        self._proxy = proxy
        self._secret = secret.encode()

    async def access(self, request: web.Request) -> Access:
        """NOBODY for a stranger. Raises StoreUnavailable."""
        return await self._by_cookie(request) or self._by_proxy(request) or NOBODY

    async def _by_cookie(self, request: web.Request) -> Access | None:
        secret = cookie_of(request)
        login = None if secret is None else await self._logins.find(digest_of(secret))
        if secret is None or login is None or self._clock.now() >= login.created_at + LIFETIME:
            return None
        scopes = self._bearers.scopes_bound(secret, login.binding)
        return logged_in(secret, scopes, login) if scopes else None

    def _by_proxy(self, request: web.Request) -> Access | None:
        if self._proxy is None or not _is_within(request.remote, self._proxy):
            return None
        names = request.headers.getall(self._proxy.header, [])
        if len(names) != 1 or not _is_name(names[0]):  # of two, a stranger may have sent one
            return None
        csrf = hmac.digest(self._secret, b"rollcall csrf\0" + names[0].encode(), "sha256").hex()
        return Access(INCLUDES[Scope(self._proxy.scope)], By.PROXY, name=names[0], csrf=csrf)


def logged_in(secret: str, scopes: frozenset[Scope], login: Login) -> Access:
    """What the holder of a cookie may. Its CSRF token comes of the cookie, which no page can read, ours included."""
    csrf = hmac.digest(secret.encode(), b"rollcall csrf", "sha256").hex()
    return Access(scopes, By.COOKIE, csrf=csrf, expires_at=login.created_at + LIFETIME)


def cookie_of(request: web.Request) -> str | None:
    """The secret in the cookie of a request, if it may be one."""
    secret = request.cookies.get(COOKIE)
    return secret if secret is not None and _SECRET.fullmatch(secret) else None


def digest_of(secret: str) -> str:
    """Of a secret, for whoever need not know it; under its cookie's a login is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _is_within(remote: str | None, proxy: ProxyEntry) -> bool:
    """Whether the one who is connected to us, and not whoever is named in a header, is such a proxy."""
    try:
        address = ip_address(remote or "")
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in proxy.networks)


def _is_name(value: str) -> bool:
    return bool(value.strip()) and len(value) <= _LONGEST_NAME and value.isprintable()
