"""`rollcall doctor`: the composition root of an examination, and the process around it."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from orchestrator.configuration.environment import service_token, service_url
from orchestrator.configuration.problems import ConfigurationError
from orchestrator.doctor import configuration
from orchestrator.doctor.checks import Surroundings, checks, without_settings
from orchestrator.doctor.configuration import Configured, configure
from orchestrator.doctor.examination import Check, examine
from orchestrator.doctor.findings import Finding, all_well, failed, warning
from orchestrator.doctor.probing import BoundedResolver
from orchestrator.doctor.report import Lines, report_json
from orchestrator.doctor.scratch import ScratchRooms
from orchestrator.doctor.service import Access, access
from orchestrator.livekit.api import LiveKitApi
from orchestrator.observability import logs
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.tasks import Tasks
from orchestrator.settings import Settings
from orchestrator.terminal import say_json

UNHEALTHY: Final = 4
INTERRUPTED: Final = 130
"""As a shell has it for a program that Ctrl-C has ended."""

LEFT_BEHIND: Final = "scratch rooms"


@dataclass(frozen=True, slots=True)
class Options:
    """What `rollcall doctor` was asked for."""

    flags: Mapping[str, Any]
    """Settings by name, as `rollcall serve` takes them; None is not given."""
    url: str | None
    """Of the running service."""
    agents: tuple[str, ...]
    """Whose canaries to send; empty: of all."""
    canary: bool
    seconds: float
    as_json: bool


def run(options: Options) -> int:
    """Examine, report, and leave nothing behind; the exit code."""
    logs.configure(sys.stderr, level="error", pretty=True)
    try:
        findings = asyncio.run(_run(options))
    except asyncio.CancelledError:
        return INTERRUPTED
    return 0 if all_well(findings) else UNHEALTHY


async def _run(options: Options) -> list[Finding]:
    _end_on_signals()
    configured, found = _configured(options)
    if configured.settings is None or found is None:
        return await _told(without_settings(configured), options, None)
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=BoundedResolver()), cookie_jar=aiohttp.DummyCookieJar()
        ) as http,
        _livekit(configured.settings) as livekit,
    ):
        scratch = ScratchRooms(livekit)
        surroundings = Surroundings(configured, found, livekit, scratch, http, StoreClock())
        planned = checks(surroundings, options.agents, canary=options.canary)
        return await _told(planned, options, scratch)


async def _told(planned: list[Check], options: Options, scratch: ScratchRooms | None) -> list[Finding]:
    """Run the checks, and show each finding as soon as it is there, or all of them as one JSON at the end."""
    lines = None if options.as_json else Lines(f"{check.name} {check.subject}".rstrip() for check in planned)
    findings: list[Finding] = []
    tasks = Tasks(lambda _name, _error: None)
    try:
        async for finding in examine(planned, tasks, seconds=options.seconds):
            findings.append(finding)
            if lines:
                lines.show(finding)
    finally:
        await tasks.cancel()
        left = await scratch.sweep() if scratch else ()
    for name in left:
        findings.append(warning(LEFT_BEHIND, f"{name} could not be deleted.", "It ends by itself in five minutes."))
        if lines:
            lines.show(findings[-1])
    if lines:
        lines.conclude(findings)
    else:
        say_json(report_json(findings))
    return findings


def _configured(options: Options) -> tuple[Configured, Access | None]:
    """The settings, and where the service is; without either nothing else can be examined."""
    configured = configure(options.flags)
    if configured.settings is None:
        return configured, None
    try:
        token = service_token()
    except ConfigurationError as error:
        findings = (*configured.findings, *(failed(configuration.NAME, str(problem), "") for problem in error.problems))
        return Configured(findings, None), None
    return configured, access(configured.settings, options.url or service_url(), token)


def _livekit(settings: Settings) -> LiveKitApi:
    return LiveKitApi(
        settings.livekit_url,
        settings.livekit_api_key,
        settings.livekit_api_secret.get_secret_value(),
        clock=StoreClock(),
        on_throttled=lambda: None,
        timeout=settings.api_timeout,
    )


def _end_on_signals() -> None:
    """Ctrl-C and SIGTERM end the examination; what it has made is deleted first."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
