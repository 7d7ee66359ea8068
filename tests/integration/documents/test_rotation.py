"""docs/how-to/rotate-keys.md, walked through: whatever LiveKit signs and whoever calls it at any step, nothing is refused."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
import yaml

from orchestrator.app import Replica
from orchestrator.sandbox.signing import Credentials, Unauthorized
from orchestrator.settings import load_settings
from orchestrator.store.embedded import embedded_valkey
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until
from tests.integration.documents.fences import ROOT, Block, blocks_in, commands_in
from tests.integration.documents.test_blocks import kind_of
from tests.samples.signing import signed

PAGE = ROOT / "docs" / "how-to" / "rotate-keys.md"


@dataclass(frozen=True)
class Step:
    """What both sides know and use once a step of the page has been done."""

    heading: str = ""
    livekit_keys: tuple[tuple[str, str], ...] = ()
    signs: str = ""
    """The key with which LiveKit signs webhooks."""
    calls: tuple[str, str] = ("", "")
    """The pair with which Rollcall calls."""
    accepts: str = "keys: []"
    """What rollcall.yaml says."""

    def after(self, block: Block) -> Step:
        """What a block of the page changes."""
        step = replace(self, heading=block.heading)
        if block.language == "console":
            variables = dict(re.findall(r"(LIVEKIT_API_\w+)=(\S+)", " ".join(c.text for c in commands_in(block))))
            return replace(step, calls=tuple(variables.values())) if len(variables) == 2 else step
        if kind_of(block) == "rollcall.yaml":
            return replace(step, accepts=block.text)
        said = yaml.safe_load(block.text)
        return replace(step, livekit_keys=tuple(said["keys"].items()), signs=said["webhook"]["api_key"])


def steps() -> list[Step]:
    found: list[Step] = []
    step = Step()
    for block in blocks_in(PAGE):
        step = step.after(block)
        if found and found[-1].heading == step.heading:
            found.pop()
        found.append(step)
    return found


STEPS = steps()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with embedded_valkey(tmp_path_factory.mktemp("rotation")) as url:
        yield url


async def answer_to(step: Step, key: str, secret: str, store: str, directory: Path) -> int:
    """How a service with the settings of a step answers a webhook that is signed with this key."""
    file, port = directory / "rollcall.yaml", free_port()
    file.write_text(f"{step.accepts}\nagents: {{mary: {{}}}}\nroutes: [{{agents: [mary]}}]\ndrain: 0s\n")
    pair = dict(zip(("livekit_api_key", "livekit_api_secret"), step.calls, strict=True))
    here = {"config": file, "host": LOOPBACK, "port": port, "livekit_url": f"ws://{LOOPBACK}:1", "dev": True}
    replica = Replica(load_settings({**pair, **here}), store)
    url = f"http://{LOOPBACK}:{port}"
    await replica.start()
    try:
        async with aiohttp.ClientSession() as http:

            async def ready() -> bool:
                async with http.get(f"{url}/readyz") as answer:
                    return answer.status == 200

            await wait_until(ready, description="the service is ready")
            now = time.time()
            room = {"sid": f"RM_{port}", "name": f"room-{port}", "creationTimeMs": str(int(now * 1000))}
            body = json.dumps({"event": "room_finished", "id": f"EV_{port}", "room": room}).encode()
            headers = {"Authorization": signed(body, now, key, secret), "Content-Type": "application/webhook+json"}
            async with http.post(f"{url}/webhooks/livekit", data=body, headers=headers) as answer:
                return answer.status
    finally:
        await replica.stop()


def takes(step: Step, pair: tuple[str, str]) -> bool:
    """Whether LiveKit, with the keys of a step, believes whoever has this pair."""
    token = "Bearer " + Credentials(*pair).sign(b"", time.time())
    for known in step.livekit_keys:
        try:
            Credentials(*known).rights(token)
        except Unauthorized:
            continue
        return True
    return False


def test_the_page_leads_from_the_old_key_alone_to_the_new_key_alone() -> None:
    first, last = STEPS[0], STEPS[-1]
    assert ([key for key, _ in first.livekit_keys], first.signs, first.calls[0]) == (["APIold"], "APIold", "APIold")
    assert ([key for key, _ in last.livekit_keys], last.signs, last.calls[0]) == (["APInew"], "APInew", "APInew")
    assert yaml.safe_load(last.accepts) == {"keys": []}
    assert len(STEPS) >= 5


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("passage", list(pairwise(STEPS)), ids=lambda passage: passage[1].heading)
async def test_no_webhook_and_no_call_is_refused_while_a_step_is_done(
    passage: tuple[Step, Step], store: str, tmp_path: Path
) -> None:
    """Nodes and replicas are restarted one by one: any of them may be before the step, and any after it."""
    for livekit, rollcall in product(passage, passage):
        secret = dict(livekit.livekit_keys)[livekit.signs]
        assert await answer_to(rollcall, livekit.signs, secret, store, tmp_path) == 200
        assert takes(livekit, rollcall.calls)


@pytest.mark.asyncio(loop_scope="module")
async def test_in_the_end_the_old_key_is_refused_and_a_step_left_out_would_be_found(store: str, tmp_path: Path) -> None:
    first, last = STEPS[0], STEPS[-1]
    old = dict(first.livekit_keys)["APIold"]
    assert await answer_to(last, "APIold", old, store, tmp_path) == 401
    assert not takes(last, ("APIold", old))
    assert await answer_to(first, "APInew", dict(last.livekit_keys)["APInew"], store, tmp_path) == 401
    assert not takes(first, last.calls)
