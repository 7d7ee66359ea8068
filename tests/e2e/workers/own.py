"""A worker of a team's own: LiveKit's kit, Rollcall's lines, and none of Rollcall's personas.

Started by `python -m livekit.agents start tests/e2e/workers/own.py`. The RPC method `stick` blocks an agent's event loop.
With the job metadata `{"stock": true}` an agent is the same without Rollcall's line.
"""

from __future__ import annotations

import json
import time

from livekit import rtc
from livekit.agents import AgentServer, JobContext

import worker

STUCK_SECONDS = 30.0
"""Longer than it takes to notice and to replace."""

# On a busy machine a worker that reports the CPU's load is passed over in silence.
server = AgentServer(host="127.0.0.1", port=0, load_fnc=lambda: 0.125, load_threshold=0.5, num_idle_processes=1)
worker.announce(server)


@server.rtc_session(on_request=worker.accept)
async def entrypoint(ctx: JobContext) -> None:
    """One job."""
    if json.loads(ctx.job.metadata or "{}").get("stock"):
        await ctx.connect()
        ctx.room.local_participant.register_rpc_method("stick", stick)
    else:
        roll = await worker.attach(ctx)
        ctx.room.local_participant.register_rpc_method("stick", stick)
        await roll.ready()


async def stick(_: rtc.RpcInvocationData) -> str:
    time.sleep(STUCK_SECONDS)  # noqa: ASYNC251 - that is the fault
    return "free again"
