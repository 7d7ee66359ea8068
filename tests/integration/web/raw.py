"""Requests whose bytes no client library has tidied up."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp.test_utils import TestClient


async def raw_get(client: TestClient[Any, Any], target: str, headers: Mapping[str, str]) -> tuple[int, Any]:
    """GET a target exactly as it is written; its status and its JSON."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET {target} HTTP/1.1\r\nHost: rollcall\r\nConnection: close\r\n{lines}\r\n"
    answer = await exchange(client, request.encode("utf-8", "surrogateescape"))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)


async def exchange(client: TestClient[Any, Any], request: bytes) -> bytes:
    """Send bytes, and read until the server hangs up."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    try:
        writer.write(request)
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
