from collections.abc import AsyncIterator

import pytest_asyncio

from tests.unit.livekit_api.server import Adapter, adapter


@pytest_asyncio.fixture
async def livekit() -> AsyncIterator[Adapter]:
    """The adapter, and the server that it talks to."""
    async with adapter() as both:
        yield both
