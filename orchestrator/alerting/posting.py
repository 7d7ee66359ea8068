"""Posting to a receiver: any 2xx is an acceptance, and nothing else."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin, urlsplit

import aiohttp

from orchestrator.alerting.connecting import ForbiddenAddress
from orchestrator.alerting.ports import NotAccepted

TIMEOUT: Final = 10.0
"""Seconds for one exchange, the first connection included."""

_ACCEPTED: Final = range(200, 300)
_SAME_AGAIN: Final = (307, 308)
"""Redirects that ask for the same request at another place; the others would make a GET of it."""

_MOST_REDIRECTS: Final = 3


async def post(http: aiohttp.ClientSession, url: str, content: bytes, headers: Mapping[str, str], *, redirects: bool) -> None:
    """Returns when the receiver has accepted it; raises NotAccepted, whose text holds nothing of the URL."""
    status, location = await _exchange(http, url, content, headers)
    for _ in range(_MOST_REDIRECTS if redirects else 0):
        if status not in _SAME_AGAIN or not location:
            break
        url = urljoin(url, location)
        if urlsplit(url).scheme not in ("http", "https"):
            break
        status, location = await _exchange(http, url, content, headers)
    if status not in _ACCEPTED:
        raise NotAccepted(f"HTTP {status}")


async def _exchange(
    http: aiohttp.ClientSession, url: str, content: bytes, headers: Mapping[str, str]
) -> tuple[int, str | None]:
    try:
        async with http.post(
            url, data=content, headers=headers, timeout=aiohttp.ClientTimeout(total=TIMEOUT), allow_redirects=False
        ) as response:
            return response.status, response.headers.get("Location")
    except TimeoutError as error:
        raise NotAccepted(f"no answer within {TIMEOUT:g} s") from error
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, ForbiddenAddress):
            raise NotAccepted("its address is link-local or a cloud's metadata, which `anywhere` would allow") from error
        raise NotAccepted(type(error).__name__) from error
    except (aiohttp.ClientError, OSError) as error:
        # By its kind alone: the texts of some hold the URL, and so the secret that may be in it.
        raise NotAccepted(type(error).__name__) from error
