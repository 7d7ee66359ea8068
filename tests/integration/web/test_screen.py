"""The screen's files: what it is made of, how small it is, and that a browser lets it do no more than it must."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from orchestrator.web.auth import Bearers
from orchestrator.web.pages import LOOK
from orchestrator.web.screen_page import FETCHED, FOLDER, routes, screen_page
from orchestrator.web.server import build_app

Client = TestClient[Any, Any]

OURS = {path for path in FOLDER.iterdir() if not path.name.startswith(("preact.", "preact-", "htm."))}

LARGEST = 40 * 1024
"""Bytes of all that a browser loads, compressed."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The screen with modules of one line in place of those from npm, which need not be there."""
    for path in OURS:
        shutil.copy(path, tmp_path)
    for name in FETCHED.names:
        (tmp_path / name).write_text("export {}\n")
    return tmp_path


async def loaded(folder: Path, aiohttp_client: AiohttpClient) -> Client:
    app = build_app(routes(screen_page(folder)), bearers=Bearers((), dev=False), version="1.2.3")
    return await aiohttp_client(app)


async def files_of(client: Client) -> list[str]:
    """What the document names, as paths."""
    html = await (await client.get("/")).text()
    return [f"/{path}" for path in re.findall(r'(?:href|src)="(screen/[^"]+)"', html)]


async def test_anybody_may_load_it_and_nothing_stands_in_it_that_could_be_run(
    folder: Path, aiohttp_client: AiohttpClient
) -> None:
    response = await (await loaded(folder, aiohttp_client)).get("/")
    assert (response.status, response.content_type) == (200, "text/html")
    html = await response.text()
    assert not re.search(r"<style|<script(?! type=\"module\" src=)|\son\w+=|\sstyle=", html)
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]


async def test_its_modules_find_each_other_and_none_is_left_over(folder: Path, aiohttp_client: AiohttpClient) -> None:
    client = await loaded(folder, aiohttp_client)
    named = await files_of(client)
    found = {Path(path).name for path in named}
    waiting = [path for path in named if path.endswith(".js")]
    while waiting:
        path = waiting.pop()
        response = await client.get(path)
        assert (path, response.status, response.content_type) == (path, 200, "text/javascript")
        for name in set(re.findall(r'from "\./([^"]+)"', await response.text())) - found:
            found.add(name)
            waiting.append(path.rpartition("/")[0] + f"/{name}")
    here = {path.name for path in (*OURS, *LOOK.iterdir())} - {"index.html"}
    assert found == here | set(FETCHED.names)


async def test_its_files_are_kept_for_good_and_sent_compressed(folder: Path, aiohttp_client: AiohttpClient) -> None:
    client = await loaded(folder, aiohttp_client)
    for path in await files_of(client):
        response = await client.get(path, headers={"Accept-Encoding": "gzip"})
        assert response.headers["Content-Encoding"] == "gzip"
        assert "immutable" in response.headers["Cache-Control"]
        plain = await client.get(path, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert await response.read() == await plain.read()
        assert "Accept-Encoding" in plain.headers["Vary"]


async def test_without_the_modules_from_npm_it_says_how_to_get_them(folder: Path, aiohttp_client: AiohttpClient) -> None:
    (folder / FETCHED.names[0]).unlink()
    response = await (await loaded(folder, aiohttp_client)).get("/")
    assert response.status == 404
    assert "make page" in (await response.json())["detail"]


async def test_all_of_it_is_small(aiohttp_client: AiohttpClient) -> None:
    if not all((FOLDER / name).exists() for name in FETCHED.names):
        pytest.skip("run `make page`, which needs npm")
    client = await loaded(FOLDER, aiohttp_client)
    beside = (await files_of(client))[0].rpartition("/")[0]
    client.session._auto_decompress = False  # what is counted is what comes over the wire
    size = len(await (await client.get("/")).read())
    for path in (*FOLDER.iterdir(), *LOOK.iterdir()):
        if path.suffix in (".css", ".js", ".mjs", ".svg"):
            response = await client.get(f"{beside}/{path.name}", headers={"Accept-Encoding": "gzip"})
            size += len(await response.read())
    assert size < LARGEST


async def test_comments_stay_at_home_and_lines_where_they_were(folder: Path, aiohttp_client: AiohttpClient) -> None:
    (folder / "view.js").write_text('// One.\n/**\n * Two.\n */\nexport const a = "// not one"; // three\n')
    client = await loaded(folder, aiohttp_client)
    beside = (await files_of(client))[0].rpartition("/")[0]
    text = await (await client.get(f"{beside}/view.js")).text()
    assert text == '\n\n\n\nexport const a = "// not one"; // three\n'


def test_it_needs_nothing_from_other_places() -> None:
    for path in (*OURS, *LOOK.iterdir()):
        assert set(re.findall(r"https?://[^\"'\s)]+", path.read_text())) <= {"http://www.w3.org/2000/svg"}, path.name
