"""The ways into the screen: a login's cookie, a proxy's word; and what nobody gets in with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from orchestrator.configuration.credentials import Scope
from orchestrator.configuration.screen import ProxyEntry
from orchestrator.core.audit import Action
from orchestrator.web.answers import answer
from orchestrator.web.auth import ACCESS, Bearers
from orchestrator.web.deeds import deed, doer
from orchestrator.web.entrance import ScreenEntrance
from orchestrator.web.login import LoginDoor, login_routes
from orchestrator.web.routes import Answer, Problem, Route
from orchestrator.web.server import build_app
from orchestrator.web.times import rfc3339
from tests.fakes.store import Line, MemoryLogins, Server
from tests.integration.web.door import TOKENS, StillClock

Client = TestClient[Any, Any]

OPERATE = {"token": "a-token-to-operate"}
BEHIND_PROXY = ProxyEntry.model_validate({"header": "X-Forwarded-User", "from": "127.0.0.0/8", "scope": "operate"})
ALICE = {"X-Forwarded-User": "alice"}


async def doing(request: web.Request) -> web.Response:
    done = deed(request, Action.CANCEL)
    return answer(Problem(type=doer(request), title=f"{done.by}", status=len(request[ACCESS].scopes)))


class Desk:
    """A service with a login, and one route of an operator's."""

    def __init__(
        self, *, tokens: Any = TOKENS, public_url: str | None = None, proxy: ProxyEntry | None = None, dev: bool = False
    ) -> None:
        self.clock = StillClock()
        self.line = Line(Server(self.clock))
        self.logins = MemoryLogins(self.line)
        self.build(tokens, public_url, proxy, dev=dev)

    def build(self, tokens: Any, public_url: str | None = None, proxy: ProxyEntry | None = None, *, dev: bool = False) -> None:
        bearers = Bearers(tokens, dev=dev)
        entrance = ScreenEntrance(bearers, self.logins, self.clock, proxy, "a-secret-of-all-replicas")
        door = LoginDoor(bearers, self.logins, self.clock, public_url)
        acts = Route("POST", "/act", doing, Scope.OPERATE, "act", "Act.", {200: Answer("Done.")})
        self.app = build_app((*login_routes(door), acts), bearers=bearers, version="1", entrance=entrance)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def client(desk: Desk, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(desk.app)


async def told(response: ClientResponse, status: int) -> Any:
    body = await response.json(content_type=None)
    assert response.status == status, body
    return body


async def log_in(client: Client, scope: str = "operate") -> Any:
    return await told(await client.post("/login", json={"token": f"a-token-to-{scope}"}), 200)


async def test_a_token_is_given_once_and_the_cookie_opens_what_the_token_opens(client: Client, desk: Desk) -> None:
    login = await log_in(client)
    assert login == {
        "scopes": ["read", "operate"],
        "name": None,
        "by": "cookie",
        "csrf": login["csrf"],
        "expires_at": rfc3339(desk.clock.at + 12 * 3600),
    }
    assert await told(await client.get("/login"), 200) == login
    done = await told(await client.post("/act", headers={"X-Rollcall-CSRF": login["csrf"]}), 200)
    assert done["type"] == "operate"


async def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Desk(public_url="https://rollcall.example/calls").app)
    response = await client.post("/login", json=OPERATE)
    (cookie,) = response.headers.getall("Set-Cookie")
    parts = {part.strip().partition("=")[0]: part.strip().partition("=")[2] for part in cookie.split(";")}
    assert len(parts.pop("rollcall_login")) == 43
    assert parts == {"HttpOnly": "", "Max-Age": "43200", "Path": "/calls", "SameSite": "Strict", "Secure": ""}


async def test_what_is_stored_is_neither_the_cookie_nor_the_token(client: Client, desk: Desk) -> None:
    response = await client.post("/login", json=OPERATE)
    secret = response.cookies["rollcall_login"].value
    assert len(desk.logins) == 1
    stored = repr(vars(desk.logins)["_logins"])
    assert secret not in stored
    assert "a-token-to-operate" not in stored


@pytest.mark.parametrize("headers", [{}, {"X-Rollcall-CSRF": ""}, {"X-Rollcall-CSRF": "guessed"}])
async def test_whoever_is_logged_in_changes_nothing_without_the_csrf_header(client: Client, headers: dict[str, str]) -> None:
    await log_in(client)
    refused = await told(await client.post("/act", headers=headers), 403)
    assert "X-Rollcall-CSRF" in refused["detail"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_what_another_site_s_page_sends_is_refused_with_whatever_header(client: Client, site: str) -> None:
    login = await log_in(client)
    headers = {"X-Rollcall-CSRF": login["csrf"], "Sec-Fetch-Site": site}
    assert (await told(await client.post("/act", headers=headers), 403))["detail"] == "Another site's page sent this."
    assert (await client.post("/login", json=OPERATE, headers={"Sec-Fetch-Site": site})).status == 403


async def test_a_bearer_token_needs_no_csrf_header_and_counts_before_the_cookie(client: Client) -> None:
    await log_in(client)
    assert (await client.post("/act", headers={"Authorization": "Bearer a-token-to-operate"})).status == 200
    assert (await client.post("/act", headers={"Authorization": "Bearer a-token-to-read"})).status == 403
    assert (await client.get("/login", headers={"Authorization": "Bearer guessed"})).status == 401
    login = await told(await client.get("/login", headers={"Authorization": "Bearer a-token-to-read"}), 200)
    assert login == {"scopes": ["read"], "name": None, "by": "token", "csrf": None, "expires_at": None}


async def test_who_may_only_read_does_not_operate_by_cookie_either(client: Client) -> None:
    login = await log_in(client, "read")
    refused = await told(await client.post("/act", headers={"X-Rollcall-CSRF": login["csrf"]}), 403)
    assert refused["detail"] == "You are logged in, but your scope is not operate."


async def test_after_logging_out_the_cookie_is_worth_nothing(client: Client, desk: Desk) -> None:
    response = await client.post("/login", json=OPERATE)
    secret, csrf = response.cookies["rollcall_login"].value, (await response.json())["csrf"]
    assert (await client.delete("/login")).status == 403
    assert (await client.delete("/login", headers={"X-Rollcall-CSRF": csrf})).status == 204
    assert len(desk.logins) == 0
    assert (await client.get("/login")).status == 401
    assert (await client.get("/login", headers={"Cookie": f"rollcall_login={secret}"})).status == 401


async def test_a_login_ends_after_a_shift(client: Client, desk: Desk) -> None:
    response = await client.post("/login", json=OPERATE)
    cookie = {"Cookie": f"rollcall_login={response.cookies['rollcall_login'].value}"}
    desk.clock.at += 12 * 3600 - 1
    assert (await client.get("/login", headers=cookie)).status == 200
    desk.clock.at += 1
    assert (await client.get("/login", headers=cookie)).status == 401


async def test_a_login_is_worth_what_its_token_is_worth_now(desk: Desk, aiohttp_client: AiohttpClient) -> None:
    first = await aiohttp_client(desk.app)
    secret = (await first.post("/login", json=OPERATE)).cookies["rollcall_login"].value
    cookie = {"Cookie": f"rollcall_login={secret}"}
    desk.build([replace(TOKENS[1], scope=Scope.READ)])  # the same token, configured to read
    assert TOKENS[1].token.get_secret_value() == "a-token-to-operate"
    second = await aiohttp_client(desk.app)
    assert (await told(await second.get("/login", headers=cookie), 200))["scopes"] == ["read"]
    desk.build(TOKENS[:1])
    third = await aiohttp_client(desk.app)
    assert (await third.get("/login", headers=cookie)).status == 401


@pytest.mark.parametrize("cookie", ["", "short", "x" * 43, "x" * 44, "größe" + "x" * 38])
async def test_a_made_up_cookie_opens_nothing(client: Client, cookie: str) -> None:
    assert (await client.get("/login", headers={"Cookie": f"rollcall_login={cookie}"})).status == 401


async def test_a_token_that_is_unknown_or_not_for_people_logs_nobody_in(client: Client, desk: Desk) -> None:
    assert (await client.post("/login", json={"token": "guessed"})).status == 401
    assert (await client.post("/login", json={"token": "a-token-to-mint"})).status == 403
    assert (await client.post("/login", json={"token": ""})).status == 400
    assert len(desk.logins) == 0


async def test_whoever_guesses_is_sent_away_for_a_while_and_keeps_out_nobody_who_comes_by_the_same_proxy(
    client: Client, desk: Desk
) -> None:
    guesses = [await client.post("/login", json={"token": f"guess-{n}"}) for n in range(6)]
    assert [guess.status for guess in guesses] == [401] * 5 + [429]
    assert guesses[-1].headers["Retry-After"] == "5"
    assert (await client.post("/login", json=OPERATE)).status == 200
    desk.clock.at += 5
    assert (await client.post("/login", json={"token": "guess"})).status == 401


async def test_logging_in_again_ends_the_login_that_the_cookie_held(client: Client, desk: Desk) -> None:
    first = (await client.post("/login", json=OPERATE)).cookies["rollcall_login"].value
    await log_in(client)
    assert len(desk.logins) == 1
    client.session.cookie_jar.clear()
    assert (await client.get("/login", headers={"Cookie": f"rollcall_login={first}"})).status == 401


async def test_no_token_fills_the_store_with_logins_and_others_go_on(client: Client, desk: Desk) -> None:
    statuses = []
    for _ in range(20):
        client.session.cookie_jar.clear()
        statuses.append((await client.post("/login", json={"token": "a-token-to-read"})).status)
    assert statuses == [200] * 5 + [429] * 15
    assert len(desk.logins) == 5
    await log_in(client, "operate")
    desk.clock.at += 1
    await log_in(client, "read")


async def test_without_the_store_nobody_is_called_a_stranger(client: Client, desk: Desk) -> None:
    await log_in(client)
    desk.line.server.down = True
    assert (await client.get("/login")).status == 503
    assert (await client.get("/login", headers={"Authorization": "Bearer a-token-to-read"})).status == 200


async def test_in_development_everybody_is_in(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Desk(dev=True).app)
    everything = {"scopes": ["read", "operate"], "name": None, "by": "dev", "csrf": None, "expires_at": None}
    assert await told(await client.get("/login"), 200) == everything
    assert await told(await client.post("/login", json={"token": "whatever"}), 200) == everything
    assert (await client.post("/act")).status == 200


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)])
async def test_in_development_another_site_s_page_that_is_open_beside_changes_nothing(
    aiohttp_client: AiohttpClient, site: str, status: int
) -> None:
    client = await aiohttp_client(Desk(dev=True).app)
    form = {"Sec-Fetch-Site": site, "Content-Type": "text/plain"}
    assert (await client.post("/act", data=b"{}", headers=form)).status == status
    assert (await client.get("/login", headers=form)).status == 200


async def test_whom_the_proxy_names_is_in_and_what_is_done_bears_the_name(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Desk(proxy=BEHIND_PROXY).app)
    login = await told(await client.get("/login", headers=ALICE), 200)
    csrf = login.pop("csrf")
    assert login == {"scopes": ["read", "operate"], "name": "alice", "by": "proxy", "expires_at": None}
    assert (await client.post("/act", headers=ALICE)).status == 403
    done = await told(await client.post("/act", headers=ALICE | {"X-Rollcall-CSRF": csrf}), 200)
    assert (done["type"], done["title"]) == ("alice", "alice")
    other = {"X-Forwarded-User": "bob", "X-Rollcall-CSRF": csrf}
    assert (await client.post("/act", headers=other)).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("X-Forwarded-User", "")],
        [("X-Forwarded-User", " ")],
        [("X-Forwarded-User", "x" * 201)],
        [("X-Forwarded-User", "alice"), ("X-Forwarded-User", "bob")],
        [("X-Forwarded-Email", "alice")],
    ],
)
async def test_what_names_nobody_lets_nobody_in(aiohttp_client: AiohttpClient, headers: list[tuple[str, str]]) -> None:
    client = await aiohttp_client(Desk(proxy=BEHIND_PROXY).app)
    assert (await client.get("/login", headers=headers)).status == 401


async def test_a_name_counts_from_the_proxy_alone(aiohttp_client: AiohttpClient) -> None:
    elsewhere = ProxyEntry.model_validate({"header": "X-Forwarded-User", "from": ["10.0.0.0/8", "::1"]})
    client = await aiohttp_client(Desk(proxy=elsewhere).app)
    assert (await client.get("/login", headers=ALICE | {"X-Forwarded-For": "10.0.0.1"})).status == 401


async def test_without_such_a_proxy_a_name_is_a_header_like_any_other(client: Client) -> None:
    assert (await client.get("/login", headers=ALICE)).status == 401
