"""The worker: an AgentServer that takes Rollcall's jobs. Started by `python -m livekit.agents start worker/main.py`."""

import os

from livekit.agents import AgentServer, JobContext, JobRequest

from worker.load import load_by_jobs
from worker.roll import key_of
from worker.session import attend
from worker.settings import Settings

settings = Settings.from_environment(os.environ)
server = AgentServer(
    host=settings.host,
    port=settings.port,
    load_fnc=load_by_jobs(settings.jobs) if settings.jobs else None,
)


async def accept(request: JobRequest) -> None:
    """Take every job, and carry our key into the room from the first moment: no update can then come too late."""
    await request.accept(attributes=key_of(request.job.attributes, request.job.metadata))


# Without an `agent_name` here, livekit-agents takes LIVEKIT_AGENT_NAME.
@server.rtc_session(on_request=accept)
async def entrypoint(ctx: JobContext) -> None:
    """One job: one agent in one room."""
    await attend(ctx, settings)
