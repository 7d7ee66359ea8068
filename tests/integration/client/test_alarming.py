"""`rollcall alerts test`: every sink of the configuration is tried, and what each said is told."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from orchestrator.exits import ExitCode

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


class Hook:
    """Takes alerts, or does not."""

    def __init__(self) -> None:
        self.status = 204
        self.told: list[str] = []
        self.app = web.Application()
        self.app.router.add_post("/hook", self.take)

    async def take(self, request: web.Request) -> web.Response:
        self.told.append((await request.json())["status"])
        return web.Response(status=self.status)


@pytest.fixture
def hook() -> Hook:
    return Hook()


async def tried(config: Path, *arguments: str) -> tuple[int | None, str, str]:
    """In a process of its own: the command directs the logs of its process."""
    environment = {
        "LIVEKIT_URL": "http://127.0.0.1:9",
        "LIVEKIT_API_KEY": "devkey",
        "LIVEKIT_API_SECRET": "s" * 36,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "orchestrator", "alerts", "test", "--dev", "--config", str(config), *arguments),
        cwd=Path(__file__).parents[3],
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
async def config(hook: Hook, aiohttp_server: AiohttpServer, tmp_path: Path) -> Path:
    url = (await aiohttp_server(hook.app)).make_url("/hook")
    (tmp_path / "r.yaml").write_text(f'alerts:\n  - webhook: {{url: "{url}", secret: "{SECRET}"}}\n')
    return tmp_path / "r.yaml"


async def test_a_sink_is_sent_an_alert_and_its_end(hook: Hook, config: Path) -> None:
    code, out, err = await tried(config)

    assert (code, hook.told) == (ExitCode.OK, ["firing", "resolved"]), err
    assert out.startswith("accepted  webhook-")


async def test_a_sink_that_refuses_fails_the_command_and_says_why(hook: Hook, config: Path) -> None:
    hook.status = 500
    code, out, _ = await tried(config, "--json")

    [sink] = json.loads(out)["sinks"]
    assert (code, sink["accepted"], "500" in sink["reason"]) == (ExitCode.FAILED, False, True)
    assert SECRET not in out


async def test_without_a_sink_it_says_where_to_write_one(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("routes: []\n")
    code, out, err = await tried(tmp_path / "r.yaml")

    assert (code, out, "Write one under `alerts:`" in err) == (ExitCode.USAGE, "", True)
