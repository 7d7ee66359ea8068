"""LIVEKIT_URL against servers that are LiveKit, and against what people mistake for it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from orchestrator.doctor.address import examine_address
from orchestrator.doctor.findings import Finding
from orchestrator.doctor.probing import BoundedResolver
from orchestrator.runtime.clock import StoreClock
from tests.e2e.harness.ports import LOOPBACK, free_port


async def livekit(_: web.Request) -> web.Response:
    """As livekit-server 1.13.5 answers a call without a token."""
    return web.json_response({"code": "unauthenticated", "msg": "permissions denied"}, status=401)


async def somebody_else(_: web.Request) -> web.Response:
    return web.Response(status=404, text="404 page not found", headers={"Server": "nginx"})


async def moved(_: web.Request) -> web.Response:
    raise web.HTTPMovedPermanently("https://livekit.example/")


@asynccontextmanager
async def serving(*routes: web.RouteDef, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server of these routes; everything else is 404."""
    app = web.Application()
    app.add_routes([*routes, web.post("/{path:.*}", somebody_else)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0, ssl_context=tls).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


LIVEKIT = web.post("/twirp/livekit.RoomService/ListRooms", livekit)


class NobodyKnows(ThreadedResolver):
    """A DNS in which no name is."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def finding(url: str, resolver: AbstractResolver | None = None) -> Finding:
    connector = aiohttp.TCPConnector(resolver=resolver or BoundedResolver())
    async with aiohttp.ClientSession(connector=connector) as http:
        (found,) = await examine_address(url, http, StoreClock())
    return found


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Of a server that has signed its own."""
    directory: Path = tmp_path_factory.mktemp("tls")
    files = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "cert.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost", *files],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return context


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_livekit_server_is_known_by_its_answer(scheme: str) -> None:
    async with serving(LIVEKIT) as port:
        found = await finding(f"{scheme}://{LOOPBACK}:{port}/")

    assert found.status == "ok"
    assert f"http://{LOOPBACK}:{port}" in found.message


async def test_a_user_and_password_in_the_url_are_not_shown() -> None:
    async with serving(LIVEKIT) as port:
        found = await finding(f"ws://user:hunter2@{LOOPBACK}:{port}")

    assert "hunter2" not in repr(found)


async def test_a_path_that_does_not_belong_there_is_named_with_the_address_that_answers() -> None:
    async with serving(LIVEKIT) as port:
        found = await finding(f"ws://{LOOPBACK}:{port}/rtc")

    assert found.status == "failed"
    assert found.fix == f"A LiveKit server answers at ws://{LOOPBACK}:{port}: set LIVEKIT_URL to that."


async def test_another_server_is_none_of_livekit_s_and_says_what_it_is() -> None:
    async with serving() as port:
        found = await finding(f"ws://{LOOPBACK}:{port}")

    assert '"404 nginx" to a call of LiveKit\'s API' in found.message
    assert "wss://<project>.livekit.cloud" in found.fix


async def test_a_server_that_sends_callers_on_is_not_followed() -> None:
    async with serving(web.post("/twirp/livekit.RoomService/ListRooms", moved)) as port:
        found = await finding(f"ws://{LOOPBACK}:{port}")

    assert 'sends callers on to "https://livekit.example/"' in found.message


async def test_a_server_without_tls_is_known_when_it_was_asked_with_it_and_named_as_it_should_be() -> None:
    async with serving(LIVEKIT) as port:
        found = await finding(f"wss://{LOOPBACK}:{port}")

    assert "does not speak TLS" in found.message
    assert found.fix == f"A LiveKit server answers at ws://{LOOPBACK}:{port}: set LIVEKIT_URL to that."


async def test_a_certificate_that_nobody_vouches_for_is_named(certificate: ssl.SSLContext) -> None:
    async with serving(LIVEKIT, tls=certificate) as port:
        found = await finding(f"wss://{LOOPBACK}:{port}")

    assert "certificate" in found.message
    assert "self-signed" in found.message
    assert "authority" in found.fix


async def test_a_server_that_wants_tls_is_known_when_it_was_asked_without() -> None:
    async def wants_tls(_: web.Request) -> web.Response:
        return web.Response(status=400, text="Client sent an HTTP request to an HTTPS server.\n")

    async with serving(web.post("/twirp/livekit.RoomService/ListRooms", wants_tls)) as port:
        found = await finding(f"ws://{LOOPBACK}:{port}")

    assert "wants TLS" in found.message
    assert "wss://" in found.fix


async def test_a_port_where_nobody_listens_is_told_from_a_name_that_does_not_exist() -> None:
    nobody = await finding(f"ws://{LOOPBACK}:{free_port()}")
    unknown = await finding("wss://livekit.example", resolver=NobodyKnows())

    assert "cannot be reached" in nobody.message
    assert "connection refused" in nobody.message
    assert "livekit-server" in nobody.fix
    assert 'the name livekit.example cannot be resolved ("Name or service not known")' in unknown.message


async def test_what_hangs_up_at_once_speaks_no_http() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, LOOPBACK, 0) as server:
        found = await finding(f"ws://{LOOPBACK}:{server.sockets[0].getsockname()[1]}")

    assert "ends the conversation" in found.message


async def test_the_dashboard_of_livekit_cloud_is_no_project() -> None:
    assert "dashboard" in (await finding("https://cloud.livekit.io/projects/p_1/overview")).message
