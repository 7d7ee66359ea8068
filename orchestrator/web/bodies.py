"""Request bodies, bounded in size and in time: aiohttp itself waits for ever for a body that stalls."""

import asyncio

from aiohttp import web

from orchestrator.runtime.ports import RollcallError


class BodyRefused(RollcallError):
    """The body was not read to its end."""


class BodyTooLarge(BodyRefused):
    pass


class BodyStalled(BodyRefused):
    """It did not arrive in time. The rest may still come, so the connection is of no more use."""


class BodyBroken(BodyRefused):
    """The client went away in the middle of it, or its framing is none."""


async def read_body(request: web.Request, *, at_most: int, within: float) -> bytes:
    """The whole body: at most so many bytes, all of them within so many seconds, however steadily they trickle."""
    if request.content_length is not None and request.content_length > at_most:
        raise BodyTooLarge
    try:
        body = await _whole(request, at_most, within)
    except TimeoutError as error:
        raise BodyStalled from error
    except (ConnectionError, web.RequestPayloadError) as error:
        raise BodyBroken from error
    if len(body) > at_most:
        raise BodyTooLarge
    return body


async def _whole(request: web.Request, at_most: int, within: float) -> bytes:
    """The body, or more of it than is allowed."""
    content = request.content
    if content.is_eof():  # it came together with the headers, as a webhook's does: no timer is needed
        return content.read_nowait()
    body = bytearray()
    async with asyncio.timeout(within):
        while len(body) <= at_most and (chunk := await content.readany()):
            body += chunk
    return bytes(body)
