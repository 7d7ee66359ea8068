"""The API's faults: refused, hanging, executed without an answer, listings that are not true."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.model import ApiError
from tests.unit.sandbox.world import world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

PATIENCE = 5.0


async def test_errors_come_instead_of_the_execution() -> None:
    async with world(faults=Faults(api_error=1.0)) as w:
        seen: Counter[int] = Counter()
        for _ in range(60):
            with pytest.raises(ApiError) as refused:
                await w.sandbox.create_dispatch("r", "mary")
            seen[refused.value.status] += 1
        assert seen.keys() == {429, 500, 503}
        assert "r" not in w.sandbox.rooms


async def test_a_call_that_hangs_is_not_executed() -> None:
    async with world(faults=Faults(api_hang=1.0)) as w:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await w.sandbox.create_dispatch("r", "mary")
        assert "r" not in w.sandbox.rooms


async def test_a_call_whose_reply_is_lost_is_executed() -> None:
    async with world(faults=Faults(lost_reply=1.0)) as w:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await w.sandbox.create_dispatch("r", "mary")
        assert "r" in w.sandbox.rooms


async def test_rejected_credentials_are_401_with_an_empty_body() -> None:
    async with world(faults=Faults(rejects_credentials=True)) as w:
        with pytest.raises(ApiError) as refused:
            await w.sandbox.list_rooms()
        assert (refused.value.status, refused.value.message) == (401, "")


async def test_a_listing_may_be_empty_or_partial_by_mistake() -> None:
    async with world() as w:
        for n in range(100):
            w.sandbox.join("r", f"p{n}")
        w.sandbox.faults = Faults(empty_listing=1.0)
        assert await w.identities("r") == []
        assert await w.sandbox.list_rooms() == []
        assert await w.sandbox.list_dispatch("r") == []
        w.sandbox.faults = Faults(partial_listing=1.0)
        assert 30 < len(await w.identities("r")) < 70
        w.sandbox.faults = Faults()
        assert len(await w.identities("r")) == 100


async def test_a_slow_server_executes_later() -> None:
    async with world(faults=Faults(slow_api=2.0)) as w:
        call = w.tasks.spawn("call", w.sandbox.create_dispatch("r", "mary"))
        await w.clock.sleep(1.9)
        assert "r" not in w.sandbox.rooms
        await call
        assert w.clock.monotonic() == pytest.approx(2.0, abs=0.01)
        assert "r" in w.sandbox.rooms
