"""Webhooks on their way out: signed and posted as LiveKit does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import aiohttp

from orchestrator.runtime.ports import Clock
from orchestrator.sandbox import wire
from orchestrator.sandbox.model import Webhook
from orchestrator.sandbox.signing import Credentials
from orchestrator.sandbox.webhooks import Deliver

CONNECTIONS: Final = 512
"""Open connections to receivers at most: a burst of rooms is a burst of webhooks."""

_CONNECT_WITHIN: Final = 30.0
"""Seconds. For an answer LiveKit waits without end: a receiver that hangs blocks its room."""


@asynccontextmanager
async def webhook_poster(urls: Sequence[str], credentials: Credentials, clock: Clock) -> AsyncIterator[Deliver]:
    """What delivers a webhook to all of these.

    Its status is the worst of theirs, so that what one of them lacks is sent to all of them again: LiveKit has a queue
    for each.
    """
    patience = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_WITHIN)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(timeout=patience, connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def deliver(webhook: Webhook) -> int:
            body = wire.body(webhook)
            headers = {"Authorization": credentials.sign(body, clock.now()), "Content-Type": "application/webhook+json"}
            statuses = await asyncio.gather(*(_post(http, url, body, headers) for url in urls))
            return max(statuses, key=_badness, default=HTTPStatus.GONE)  # nobody wants it: no use to try again

        yield deliver


async def _post(http: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]) -> int:
    try:
        async with http.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status
    except (aiohttp.ClientError, OSError, TimeoutError):
        return 0


def _badness(status: int) -> int:
    """No answer at all is worse than any."""
    return status or 1000
