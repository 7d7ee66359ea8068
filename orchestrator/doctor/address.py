"""Whether LIVEKIT_URL leads to a LiveKit server; if not, what is wrong with it, and which address near it would do."""

import asyncio
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

import aiohttp

from orchestrator.core.quotation import quoted
from orchestrator.doctor.findings import Finding, failed, ok
from orchestrator.doctor.probing import PATIENCE, Met, Probe, http_url, probe
from orchestrator.runtime.ports import Clock

NAME: Final = "livekit"

_LIVEKIT_PORT: Final = 7880
_DASHBOARD: Final = "cloud.livekit.io"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


async def examine_address(url: str, http: aiohttp.ClientSession, clock: Clock) -> list[Finding]:
    """`url` as LIVEKIT_URL has it."""
    base = http_url(url)
    if urlsplit(base).hostname == _DASHBOARD:
        message = f"LIVEKIT_URL leads to the dashboard of LiveKit Cloud, {_DASHBOARD}, and not to a project."
        return [failed(NAME, message, "Take the project's URL from its settings there: wss://<project>.livekit.cloud.")]
    met = await probe(base, http, clock)
    if met.met is Met.LIVEKIT:
        parts = urlsplit(base)
        shown = f"{parts.scheme}://{_host_and_port(parts)}{parts.path}"
        return [ok(NAME, f"LiveKit answers at {shown} in {met.milliseconds:g} ms.")]
    instead = None if met.met is Met.UNKNOWN_HOST else await _one_that_answers(base, http, clock)
    fix = f"A LiveKit server answers at {instead}: set LIVEKIT_URL to that." if instead else _fix(met, urlsplit(base))
    return [failed(NAME, f"LIVEKIT_URL leads to no LiveKit server: {_what_is_there(met, urlsplit(base))}.", fix)]


async def _one_that_answers(base: str, http: aiohttp.ClientSession, clock: Clock) -> str | None:
    """The first address near the one that was meant where a LiveKit server answers, as LIVEKIT_URL would have it."""
    others = list(_others(urlsplit(base)))
    probes = await asyncio.gather(*(probe(other, http, clock) for other in others))
    return next((f"ws{other[4:]}" for other, met in zip(others, probes, strict=True) if met.met is Met.LIVEKIT), None)


def _host_and_port(parts: SplitResult) -> str:
    """Without a user and a password, which may stand before it."""
    return parts.netloc.rpartition("@")[2]


def _others(parts: SplitResult) -> Iterator[str]:
    """What people mean when they write it wrong: without the path, with or without TLS, on LiveKit's own port."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    schemes = [parts.scheme, "http" if parts.scheme == "https" else "https"]
    if parts.path:
        yield f"{parts.scheme}://{_host_and_port(parts)}"
    yield f"{schemes[1]}://{_host_and_port(parts)}"
    for scheme in schemes:
        if parts.port != _LIVEKIT_PORT:
            yield f"{scheme}://{host}:{_LIVEKIT_PORT}"
        if parts.port is not None:
            yield f"{scheme}://{host}"


_THERE: Final = {
    Met.UNKNOWN_HOST: "the name {host} cannot be resolved ({detail})",
    Met.UNREACHABLE: "{where} cannot be reached ({detail})",
    Met.SILENT: f"{{where}} did not answer within {PATIENCE:g} s",
    Met.NO_TLS: "{where} does not speak TLS",
    Met.ONLY_TLS: "{where} wants TLS",
    Met.CERTIFICATE: "the certificate of {where} is not accepted ({detail})",
    Met.REDIRECT: "{where} sends callers on to {detail}",
    Met.OTHER: "what is at {where}{path} answers {detail} to a call of LiveKit's API",
    Met.BROKEN: "{where} ends the conversation ({detail})",
}
"""What was met in the place of a LiveKit server."""


def _what_is_there(met: Probe, parts: SplitResult) -> str:
    where = _host_and_port(parts)
    return _THERE[met.met].format(host=parts.hostname, where=where, path=parts.path, detail=quoted(met.detail))


def _fix(met: Probe, parts: SplitResult) -> str:
    match met.met:
        case Met.UNKNOWN_HOST:
            return "Check the spelling of the host; in a container, that it has a DNS that knows it."
        case Met.UNREACHABLE | Met.SILENT if parts.hostname in _LOOPBACK:
            return "Start livekit-server, or correct the port; in a container, localhost is the container itself."
        case Met.UNREACHABLE | Met.SILENT:
            return "Check host and port, and that firewalls let this machine through."
        case Met.NO_TLS:
            return "Write ws:// instead of wss://, or correct the port."
        case Met.ONLY_TLS:
            return "Write wss:// instead of ws://."
        case Met.CERTIFICATE:
            return "Renew it, or install the authority that has signed it on this machine."
        case _:
            return "Set LIVEKIT_URL to the server itself, without a path: ws://host:7880, or wss://<project>.livekit.cloud."
