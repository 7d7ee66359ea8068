"""Every route of the running service, asked with everything that somebody may bring: who gets in, and who does not."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from aiohttp import ClientSession, ClientTimeout, CookieJar

from tests.e2e.harness.child import ChildProcess, clean_environment
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.wait import wait_until

SCOPES: Final = ("read", "operate", "mint", "worker")
TOKENS: Final = {scope: f"a-token-to-{scope}-0123456789" for scope in SCOPES}

CONFIGURATION: Final = """\
routes: [{agents: []}]
screen: {proxy: {header: X-Forwarded-User, from: 127.0.0.1, scope: operate}}
"""

OPEN: Final = frozenset(
    {
        "GET /",
        "GET /debug",
        "GET /debug/{version}/{file}",
        "GET /livez",
        "GET /metrics",
        "GET /openapi.json",
        "GET /readyz",
        "GET /runbook",
        "GET /screen/{version}/{file}",
        "OPTIONS /sessions/{room}/agents",
        "OPTIONS /token",
        "POST /login",
        "POST /webhooks/livekit",
    }
)
"""Whoever adds a route to these says why: they hold nothing of a room, or see for themselves who it is."""

BY_THEMSELVES: Final = frozenset({"POST /login", "POST /webhooks/livekit"})
"""They answer 401 to whoever brings nothing: a signature is asked for, or a token in the body."""

HARMLESS: Final = frozenset({"DELETE /login"})
"""What is no GET, and whoever may read may do."""


@dataclass(frozen=True)
class Bringing:
    """What a caller brings, and what scopes it is worth. `csrf` None: there is none."""

    scopes: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    csrf: str | None = None
    sends_csrf: bool = True

    def may(self, method: str, scopes: frozenset[str]) -> bool:
        forged = self.csrf is not None and not self.sends_csrf and method != "GET"
        return bool(self.scopes & scopes) and not forged

    def sent(self) -> dict[str, str]:
        return {**self.headers, **({"X-Rollcall-CSRF": self.csrf} if self.csrf and self.sends_csrf else {})}


@dataclass(frozen=True)
class Service:
    url: str
    operations: Mapping[str, Any]
    """By method and path: what the service's own document says of it."""
    callers: Mapping[str, Bringing]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def logged_in(http: ClientSession, url: str, scope: str) -> tuple[str, str]:
    async with http.post(f"{url}/login", json={"token": TOKENS[scope]}) as answer:
        return answer.cookies["rollcall_login"].value, (await answer.json())["csrf"]


async def everybody(http: ClientSession, url: str) -> dict[str, Bringing]:
    operate = frozenset({"read", "operate"})
    worth = {"read": frozenset({"read"}), "operate": operate, "mint": frozenset({"mint"}), "worker": frozenset({"worker"})}
    by_token = {f"a token to {scope}": Bringing(worth[scope], bearer(TOKENS[scope])) for scope in SCOPES}
    by_cookie: dict[str, Bringing] = {}
    for scope in ("read", "operate"):
        secret, csrf = await logged_in(http, url, scope)
        cookie = {"Cookie": f"rollcall_login={secret}"}
        by_cookie[f"a login to {scope}"] = Bringing(worth[scope], cookie, csrf)
        by_cookie[f"a login to {scope}, sent by another page"] = Bringing(worth[scope], cookie, csrf, sends_csrf=False)
    alice = {"X-Forwarded-User": "alice"}
    async with http.get(f"{url}/login", headers=alice) as answer:
        named = (await answer.json())["csrf"]
    operator = by_cookie["a login to operate"]
    return {
        **by_token,
        **by_cookie,
        "a proxy's word": Bringing(operate, alice, named),
        "a proxy's word, sent by another page": Bringing(operate, alice, named, sends_csrf=False),
        "nothing": Bringing(),
        "a wrong token": Bringing(headers=bearer("guessed")),
        "a wrong token beside a login": Bringing(headers={**operator.headers, **bearer("guessed")}),
        "half of a token": Bringing(headers=bearer(TOKENS["operate"][:-1])),
        "a made-up cookie": Bringing(headers={"Cookie": f"rollcall_login={'x' * 43}"}),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    folder, port = tmp_path_factory.mktemp("service"), free_port()
    (folder / "rollcall.yaml").write_text(CONFIGURATION, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("rollcall")), "serve", "--host", "127.0.0.1", "--port", str(port)]
    environment = clean_environment(
        LIVEKIT_URL="ws://127.0.0.1:1",
        LIVEKIT_API_KEY="key",
        LIVEKIT_API_SECRET="a-secret-of-at-least-32-characters",
        ROLLCALL_API_TOKENS=",".join(f"{scope}:{token}" for scope, token in TOKENS.items()),
        ROLLCALL_DRAIN="0s",
    )
    arguments = ["--config", str(folder / "rollcall.yaml"), "--state-dir", str(folder)]
    process = ChildProcess([*command, *arguments], log=folder / "log", environment=environment)
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        async with ClientSession(cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=10)) as http:
            await wait_until(lambda: '"event":"ready"' in process.logged().replace(" ", ""), timeout=20, description="ready")
            async with http.get(f"{url}/openapi.json") as answer:
                paths = (await answer.json())["paths"]
            operations = {
                f"{method.upper()} {path}": said for path, methods in paths.items() for method, said in methods.items()
            }
        async with ClientSession() as http:
            yield Service(url, operations, await everybody(http, url))
    finally:
        await process.clear_away()


def scopes_of(operation: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(scope for way in operation["security"] for scopes in way.values() for scope in scopes)


@pytest.mark.asyncio(loop_scope="module")
async def test_only_what_is_meant_to_be_open_is_and_only_reading_needs_no_operator(service: Service) -> None:
    without = {name for name, operation in service.operations.items() if not scopes_of(operation)}
    assert without == OPEN
    for name, operation in service.operations.items():
        if not name.startswith("GET ") and name not in OPEN | HARMLESS:
            assert "read" not in scopes_of(operation), name


@pytest.mark.asyncio(loop_scope="module")
async def test_every_route_lets_in_whom_it_should_and_nobody_else(service: Service) -> None:
    wrong: list[str] = []
    async with ClientSession(cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=10)) as http:
        for name, operation in service.operations.items():
            method, _, path = name.partition(" ")
            scopes = scopes_of(operation)
            # Logging out would end the login that the next route is asked with: its own test is test_login.
            if method == "OPTIONS" or name in BY_THEMSELVES or name == "DELETE /login":
                continue
            for caller, brings in service.callers.items():
                http.cookie_jar.clear()
                url = service.url + path.replace("{", "").replace("}", "")
                async with http.request(method, url, headers=brings.sent(), data=b"[]") as answer:
                    refused = answer.status in (401, 403)
                    if refused is (not scopes or brings.may(method, scopes)):
                        wrong.append(f"{caller} at {name}: {answer.status}")
    assert wrong == []
