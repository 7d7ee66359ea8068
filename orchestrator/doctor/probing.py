"""One unsigned question to an address: whether a LiveKit server is there, and if not, what is."""

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from orchestrator.runtime.ports import Clock

LIST_ROOMS: Final = "/twirp/livekit.RoomService/ListRooms"
"""The call that is asked without a token: LiveKit says 401 to it, and nobody else knows it."""

PATIENCE: Final = 4.0
"""Seconds for one question: LiveKit answers in milliseconds, and a firewall that swallows it never."""

_RESOLVING: Final = 3.0
"""Seconds of that for the host's name."""

_ENOUGH: Final = 1024
"""Bytes of an answer by which its sender is known."""


class Met(StrEnum):
    """What is at an address."""

    LIVEKIT = "livekit"
    OTHER = "other"
    """Something that speaks HTTP."""
    REDIRECT = "redirect"
    UNKNOWN_HOST = "unknown_host"
    UNREACHABLE = "unreachable"
    """Nobody listens there, or no way leads there."""
    SILENT = "silent"
    NO_TLS = "no_tls"
    """It was asked with TLS, and speaks none."""
    ONLY_TLS = "only_tls"
    """It was asked without TLS, and wants it."""
    CERTIFICATE = "certificate"
    BROKEN = "broken"
    """It hung up, or speaks something else than HTTP."""


@dataclass(frozen=True, slots=True)
class Probe:
    met: Met
    detail: str = ""
    """May be in the words of whoever was met: to be quoted."""
    milliseconds: float = 0.0


class BoundedResolver(ThreadedResolver):
    """The system's own, whose patience with a DNS that does not answer may be longer than a whole question's."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        try:
            async with asyncio.timeout(_RESOLVING):
                return await super().resolve(host, port, family)
        except TimeoutError as error:
            raise OSError(f"the DNS did not answer within {_RESOLVING:g} s") from error


def http_url(url: str) -> str:
    """The base of LiveKit's API, as livekit-api makes it of LIVEKIT_URL: http(s), and a path that is kept."""
    parts = urlsplit(url)
    scheme = parts.scheme.replace("ws", "http") if parts.scheme.startswith("ws") else parts.scheme
    return f"{scheme}://{parts.netloc}{parts.path}".rstrip("/")


async def probe(base: str, http: aiohttp.ClientSession, clock: Clock) -> Probe:
    """Ask `base`, an http or https URL."""
    asked_at = clock.monotonic()
    try:
        async with http.post(
            base + LIST_ROOMS,
            json={},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
        ) as answer:
            met = await _met(answer)
    except aiohttp.ClientConnectorCertificateError as error:
        return Probe(Met.CERTIFICATE, _certificate_problem(error.certificate_error))
    except aiohttp.ClientConnectorDNSError as error:
        return Probe(Met.UNKNOWN_HOST, str(error.os_error.strerror or error.os_error))
    except aiohttp.ClientSSLError as error:
        return Probe(Met.NO_TLS if "WRONG_VERSION_NUMBER" in str(error) else Met.CERTIFICATE, type(error).__name__)
    except aiohttp.ClientConnectorError as error:
        return Probe(Met.UNREACHABLE, _os_error(error.os_error))
    except TimeoutError:
        return Probe(Met.SILENT)
    except (aiohttp.ClientError, OSError) as error:
        return Probe(Met.BROKEN, type(error).__name__)
    return Probe(met.met, met.detail, round((clock.monotonic() - asked_at) * 1000, 1))


async def _met(answer: aiohttp.ClientResponse) -> Probe:
    server = answer.headers.get("Server", "")
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and "WWW-Authenticate" not in answer.headers:
        return Probe(Met.LIVEKIT)
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return Probe(Met.REDIRECT, answer.headers.get("Location", ""))
    body = (await answer.content.read(_ENOUGH)).decode(errors="replace")
    if answer.content_type == "application/json" and '"code"' in body and '"msg"' in body:  # Twirp's own way to say no
        return Probe(Met.LIVEKIT)
    if answer.status == HTTPStatus.BAD_REQUEST and "HTTPS" in body:  # the words of Go's server, and of nginx
        return Probe(Met.ONLY_TLS)
    return Probe(Met.OTHER, f"{answer.status} {server}".strip())


def _certificate_problem(error: Exception) -> str:
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else type(error).__name__


def _os_error(error: OSError) -> str:
    """In the system's words: aiohttp's own hold the address, of which there may be two."""
    return os.strerror(error.errno).lower() if error.errno else type(error).__name__
