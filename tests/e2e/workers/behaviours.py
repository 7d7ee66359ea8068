"""How a worker can behave: one function per behaviour, in a table by name."""

from __future__ import annotations

import asyncio
import math
import os
import time
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from livekit import rtc
from livekit.agents import AgentServer, JobContext, JobExecutorType, JobProcess, JobRequest

from tests.e2e.workers.events import record_end, record_job

SLOW_SECONDS = 5.0
"""Longer than the 3 s for which the server waits for a worker's answer, shorter than the worker's own limits."""

Entrypoint = Callable[[JobContext], Awaitable[None]]
OnRequest = Callable[[JobRequest], Awaitable[None]]


async def accept(request: JobRequest) -> None:
    record_job("requested", request.job)
    await request.accept()


async def reject(request: JobRequest) -> None:
    """No other worker is asked."""
    record_job("requested", request.job)
    await request.reject(terminate=True)


async def pass_on(request: JobRequest) -> None:
    """Another worker may be asked."""
    record_job("requested", request.job)
    await request.reject(terminate=False)


async def accept_late(request: JobRequest) -> None:
    record_job("requested", request.job)
    await asyncio.sleep(SLOW_SECONDS)
    await request.accept()


async def join(ctx: JobContext) -> None:
    """Join and stay."""
    record_job("entered", ctx.job)
    record_end(ctx)
    await ctx.connect()
    record_job("connected", ctx.job)


async def join_late(ctx: JobContext) -> None:
    """Begin at once, and join after a while: the job is in its worker's hands, and the agent is not there."""
    record_job("entered", ctx.job)
    record_end(ctx)
    await asyncio.sleep(SLOW_SECONDS)
    await ctx.connect()
    record_job("connected", ctx.job)


async def publish(ctx: JobContext) -> None:
    """Join, and play a tone until the job ends."""
    await join(ctx)
    source = rtc.AudioSource(48_000, num_channels=1)
    track = rtc.LocalAudioTrack.create_audio_track("tone", source)
    await ctx.room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
    tenth = array("h", (round(0.3 * 32_767 * math.sin(2 * math.pi * 440 * n / 48_000)) for n in range(4_800)))
    while ctx.room.isconnected():
        await source.capture_frame(rtc.AudioFrame(tenth.tobytes(), 48_000, 1, len(tenth)))


async def leave(ctx: JobContext) -> None:
    """Join and go again at once."""
    await join(ctx)
    ctx.shutdown(reason="nothing to do")


async def never_connect(ctx: JobContext) -> None:
    record_job("entered", ctx.job)
    record_end(ctx)
    await asyncio.Event().wait()


async def fail(ctx: JobContext) -> None:
    record_job("entered", ctx.job)
    record_end(ctx)
    message = "this entrypoint always fails"
    raise RuntimeError(message)


async def die(ctx: JobContext) -> None:
    """The job's process ends as if the system had killed it."""
    record_job("entered", ctx.job)
    os._exit(1)


def start_slowly(_: JobProcess) -> None:
    """A process that takes long to start, so that the job which waits for it is in nobody's hands meanwhile."""
    time.sleep(SLOW_SECONDS)


@dataclass(frozen=True)
class Behaviour:
    """A kind of worker."""

    on_request: OnRequest = accept
    entrypoint: Entrypoint = join
    executor: JobExecutorType = JobExecutorType.THREAD
    slow_start: bool = False
    reports_load: bool = False


BEHAVIOURS = {
    "light": Behaviour(),
    "burst": Behaviour(reports_load=True),
    "publishing": Behaviour(entrypoint=publish),
    "rejecting": Behaviour(on_request=reject),
    "passing_on": Behaviour(on_request=pass_on),
    "slow_request": Behaviour(on_request=accept_late),
    "slow_process": Behaviour(slow_start=True),
    "joining_late": Behaviour(entrypoint=join_late),
    "never_connects": Behaviour(entrypoint=never_connect),
    "raising": Behaviour(entrypoint=fail),
    "leaves_at_once": Behaviour(entrypoint=leave),
    "dying": Behaviour(entrypoint=die, executor=JobExecutorType.PROCESS),
    "in_processes": Behaviour(executor=JobExecutorType.PROCESS),
}


def serve(agent_name: str, behaviour: Behaviour) -> AgentServer:
    """A worker of this behaviour that registers as `agent_name`."""
    server = AgentServer(host="127.0.0.1", port=0, job_executor_type=behaviour.executor)
    if not behaviour.reports_load:
        # On a busy machine a worker that reports its load is passed over in silence; only a burst wants to see that.
        server.load_fnc = lambda: 0.0
        server.update_options(load_threshold=math.inf)
    if behaviour.executor is JobExecutorType.PROCESS:
        server.update_options(num_idle_processes=1)
    if behaviour.slow_start:
        server.setup_fnc = start_slowly
        server.update_options(num_idle_processes=0, initialize_process_timeout=60.0)
    server.rtc_session(behaviour.entrypoint, agent_name=agent_name, on_request=behaviour.on_request)
    return server
