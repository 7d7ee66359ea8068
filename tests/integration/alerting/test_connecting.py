"""Where alerts are not sent to: link-local and metadata addresses, by whatever name, and wherever a redirect leads."""

from ipaddress import ip_address

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from orchestrator.alerting.connecting import forbidden, http_session
from orchestrator.alerting.ports import NotAccepted
from orchestrator.alerting.posting import post

METADATA = ["169.254.169.254", "169.254.170.2", "fe80::1%eth0", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"]


@pytest.mark.parametrize("address", [*METADATA, "100.100.100.200", "192.0.0.192", "fd20:ce::254"])
def test_link_local_and_metadata_addresses_are_forbidden(address: str) -> None:
    assert forbidden(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "::1", "192.168.1.1", "93.184.216.34", "2606:2800::1", "fd12::1"])
def test_other_addresses_are_not_private_networks_included(address: str) -> None:
    assert not forbidden(address)


@pytest.mark.parametrize("address", [a for a in METADATA if "%" not in a])
async def test_nothing_is_sent_to_a_forbidden_address(address: str) -> None:
    host = f"[{address}]" if ip_address(address).version == 6 else address
    async with http_session(anywhere=False) as http:
        with pytest.raises(NotAccepted, match="link-local or a cloud's metadata"):
            await post(http, f"http://{host}:9/latest", b"", {}, redirects=False)


async def test_a_name_is_judged_by_what_it_means_when_it_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lie(self: object, host: str, port: int = 0, family: int = 0) -> list[dict[str, object]]:
        return [{"hostname": host, "host": "169.254.169.254", "port": port, "family": 2, "proto": 6, "flags": 0}]

    monkeypatch.setattr(aiohttp.resolver.ThreadedResolver, "resolve", lie)
    monkeypatch.setattr(aiohttp.resolver.DefaultResolver, "resolve", lie)
    async with http_session(anywhere=False) as http:
        with pytest.raises(NotAccepted, match="link-local or a cloud's metadata"):
            await post(http, "http://harmless.example:9/", b"", {}, redirects=False)


@pytest.fixture
async def redirecting(aiohttp_server: AiohttpServer) -> tuple[str, list[bytes]]:
    got: list[bytes] = []

    async def there(request: web.Request) -> web.Response:
        got.append(await request.read())
        return web.Response()

    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["status"]), headers={"Location": "/there"})

    app = web.Application()
    app.router.add_post("/there", there)
    app.router.add_get("/there", there)
    app.router.add_post("/{status}", elsewhere)
    return str((await aiohttp_server(app)).make_url("/")), got


async def test_a_redirect_is_followed_only_when_it_is_allowed(redirecting: tuple[str, list[bytes]]) -> None:
    url, got = redirecting
    async with http_session(anywhere=True) as http:
        with pytest.raises(NotAccepted, match="HTTP 307"):
            await post(http, url + "307", b"x", {}, redirects=False)
        await post(http, url + "307", b"x", {}, redirects=True)
    assert got == [b"x"]


async def test_a_redirect_that_would_lose_the_alert_is_no_acceptance(redirecting: tuple[str, list[bytes]]) -> None:
    url, got = redirecting
    async with http_session(anywhere=True) as http:
        with pytest.raises(NotAccepted, match="HTTP 302"):
            await post(http, url + "302", b"x", {}, redirects=True)
    assert got == []
