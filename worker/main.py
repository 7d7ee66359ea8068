"""The worker: an AgentServer that takes Rollcall's jobs. Started by `python -m livekit.agents start worker/main.py`."""

import os

from livekit.agents import AgentServer, JobContext

from worker.admission import accept
from worker.load import load_by_jobs
from worker.presence import announce
from worker.session import attend
from worker.settings import settings_or_exit

settings = settings_or_exit(os.environ)
server = AgentServer(
    host=settings.host,
    port=settings.port,
    prometheus_port=settings.prometheus_port,
    load_fnc=load_by_jobs(settings.jobs) if settings.jobs else None,
)
announce(server)


# Without an `agent_name` here, livekit-agents takes LIVEKIT_AGENT_NAME.
@server.rtc_session(on_request=accept)
async def entrypoint(ctx: JobContext) -> None:
    """One job: one agent in one room."""
    await attend(ctx, settings)
