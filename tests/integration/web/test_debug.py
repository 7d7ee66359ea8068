"""The debug page: who finds it, what it is made of, and that a browser lets it do no more than it must."""

import gzip
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from orchestrator.web.auth import Bearers
from orchestrator.web.debug import FETCHED, FOLDER, debug_page, routes, sources
from orchestrator.web.pages import LOOK
from orchestrator.web.server import build_app

Client = TestClient[Any, Any]
Load = Callable[..., Awaitable[Client]]

CLIENT = FETCHED.names[0]
MODULE = b"export class Room {}\n"

OURS = {path for path in FOLDER.iterdir() if not path.name.startswith("livekit-client")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The page with a client library of one line: the real one comes from npm, and need not be there."""
    for path in OURS:
        shutil.copy(path, tmp_path)
    (tmp_path / CLIENT).write_bytes(MODULE)
    (tmp_path / f"{CLIENT}.gz").write_bytes(gzip.compress(MODULE))
    return tmp_path


@pytest.fixture
def load(folder: Path, aiohttp_client: AiohttpClient) -> Load:
    """A client of a service with the page in it."""

    async def loaded(*, dev: bool = True, operators: bool = False) -> Client:
        page = debug_page(folder, dev=dev, operators=operators, livekit_urls=["ws://127.0.0.1:7880"])
        return await aiohttp_client(build_app(routes(page), bearers=Bearers((), dev=dev), version="1.2.3"))

    return loaded


async def files_of(client: Client) -> list[str]:
    """What the page names, as paths."""
    html = await (await client.get("/debug")).text()
    return [f"/{path}" for path in re.findall(r'(?:href|src)="(debug/[^"]+)"', html)]


async def version_of(client: Client) -> str:
    return (await files_of(client))[0].split("/")[2]


@pytest.mark.parametrize(("dev", "operators", "tokens"), [(True, False, "none"), (False, True, "needed"), (True, True, "none")])
async def test_in_development_it_needs_no_token_and_elsewhere_it_asks_an_operator_for_one(
    load: Load, dev: bool, operators: bool, tokens: str
) -> None:
    response = await (await load(dev=dev, operators=operators)).get("/debug")
    assert (response.status, response.content_type) == (200, "text/html")
    assert f'<body data-tokens="{tokens}">' in await response.text()


async def test_where_nobody_may_operate_there_is_no_page_and_no_file_of_it(load: Load) -> None:
    path = (await files_of(await load()))[0]
    client = await load(dev=False)
    for asked in ("/debug", path):
        response = await client.get(asked)
        assert (response.status, response.content_type) == (404, "application/problem+json")
        assert "--dev" in (await response.json())["detail"]


async def test_without_the_library_from_npm_it_says_how_to_get_it(load: Load, folder: Path) -> None:
    (folder / CLIENT).unlink()
    response = await (await load()).get("/debug")
    assert response.status == 404
    assert "make page" in (await response.json())["detail"]


async def test_every_file_that_it_names_is_there_and_kept_for_good(load: Load) -> None:
    client = await load()
    named = await files_of(client)
    assert len(named) == 4
    for path in named:
        response = await client.get(path)
        assert response.status == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_its_modules_find_each_other(load: Load) -> None:
    client = await load()
    beside = f"/debug/{await version_of(client)}"
    waiting, found = ["debug.js"], set()
    while waiting:
        name = waiting.pop()
        response = await client.get(f"{beside}/{name}")
        assert (name, response.status, response.content_type) == (name, 200, "text/javascript")
        found.add(name)
        waiting += set(re.findall(r'from "\./([^"]+)"', await response.text())) - found
    assert found == {path.name for path in OURS if path.suffix == ".js"} | {CLIENT}


async def test_the_page_itself_is_asked_for_anew_each_time_and_other_files_bring_another_version(
    load: Load, folder: Path
) -> None:
    client = await load()
    assert (await client.get("/debug")).headers["Cache-Control"] == "no-cache"
    (folder / "debug.css").write_text("body {}")
    assert await version_of(await load()) != await version_of(client)


@pytest.mark.parametrize(
    "path", ["{version}/debug.py", "{version}/index.html", "0123456789ab/debug.js", "{version}/..%2fdebug.py"]
)
async def test_what_is_not_a_file_of_this_version_is_not_found(load: Load, path: str) -> None:
    client = await load()
    response = await client.get(f"/debug/{path.format(version=await version_of(client))}")
    assert (response.status, response.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("identity", None)])
async def test_the_library_is_sent_compressed_to_whoever_takes_it_so(load: Load, accepted: str, encoding: str | None) -> None:
    client = await load()
    path = f"/debug/{await version_of(client)}/{CLIENT}"
    response = await client.get(path, headers={"Accept-Encoding": accepted})
    assert response.headers.get("Content-Encoding") == encoding
    assert response.content_type == "text/javascript"
    assert await response.read() == MODULE


async def test_a_browser_lets_it_load_our_files_and_connect_to_us_and_to_livekit_alone(load: Load) -> None:
    headers = (await (await load()).get("/debug")).headers
    assert headers["Content-Security-Policy"].split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self' ws://127.0.0.1:7880 http://127.0.0.1:7880",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    assert headers["Permissions-Policy"] == "microphone=(self), camera=(), geolocation=()"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("wss://livekit.example", "wss://livekit.example https://livekit.example"),
        ("https://livekit.example:8443/path", "wss://livekit.example:8443 https://livekit.example:8443"),
        ("ws://a", "ws://a http://a"),
        ("wss://team.livekit.cloud", "wss://*.livekit.cloud https://*.livekit.cloud"),
        ("ws://[::1]:7880", "ws: http:"),
    ],
)
def test_livekit_is_reached_where_the_configuration_says(url: str, reached: str) -> None:
    assert " ".join(sources(url)) == reached


def test_it_is_small_and_needs_nothing_from_other_places() -> None:
    ours = OURS | set(LOOK.iterdir())
    assert sum(path.stat().st_size for path in ours) < 40 * 1024
    for path in ours:
        addresses = re.findall(r"https?://[^\"'\s)]+", path.read_text())
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}, path.name
