"""The process around one replica: event loop, signals, the embedded store, and the exit code."""

import asyncio
import gc
import importlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Final

import structlog

from orchestrator.app import Replica
from orchestrator.observability import logs
from orchestrator.settings import Settings
from orchestrator.store.embedded import EmbeddedStoreError, embedded_valkey

log = structlog.get_logger()

_OPEN_FILES: Final = 65_536
"""As many as may be, up to this: each connection takes one, and systemd and shells begin with 1,024."""


def serve(settings: Settings) -> int:
    """Run the service until SIGTERM or SIGINT; the exit code."""
    logs.configure(sys.stderr, level=settings.log_level, pretty=settings.log_format == "console")
    for note in settings.notes:
        log.warning("configuration_note", note=note)
    _allow_connections()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            return runner.run(_serve(settings))
        except (EmbeddedStoreError, OSError) as error:
            log.error("not_started", reason=str(error))  # noqa: TRY400 the sentence says it all
            return 1


def _allow_connections() -> None:
    """Take what the system grants at once: idle connections, which cost nothing else, would keep LiveKit's webhooks out."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if most == resource.RLIM_INFINITY else min(_OPEN_FILES, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        with suppress(OSError, ValueError):  # what some systems say and what they grant are two things
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def spare_the_collector() -> None:
    """What was made at start stays for good: the garbage collector need not walk it for every few hundred webhooks.

    Measured, the default thresholds cost a tenth of the CPU of a stored webhook.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed (the extra `uvloop`)."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(settings: Settings) -> int:
    stopping = _stop_signals()
    async with AsyncExitStack() as stack:
        redis_url = await _store_url(settings, stack)
        replica = Replica(settings, redis_url)
        stack.push_async_callback(replica.stop)
        await replica.start()
        spare_the_collector()
        await stopping.wait()
        log.info("stopping", replica=replica.name)
    return 0


def _stop_signals() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; the second one ends the process where it is."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopping.is_set():
            os._exit(1)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    return stopping


async def _store_url(settings: Settings, stack: AsyncExitStack) -> str:
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    url = await stack.enter_async_context(embedded_valkey(settings.state_dir))
    log.info(
        "embedded_store_started",
        state_dir=str(settings.state_dir),
        note="REDIS_URL is not set: sessions are kept by an embedded Valkey, which is for this one machine only.",
    )
    return url
