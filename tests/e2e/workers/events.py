"""What the workers saw, one JSON object a line, for the tests to read."""

from __future__ import annotations

import json
import os
import time

from livekit.agents import JobContext
from livekit.protocol.agent import Job

FILE = "ROLLCALL_TEST_WORKER_EVENTS"
"""The environment variable that names the file; job processes inherit it."""


def record(event: str, **fields: object) -> None:
    """Append one event. A line is one write to a file opened for appending, so processes do not mix theirs."""
    line = json.dumps({"event": event, "at": time.time(), "pid": os.getpid(), **fields}) + "\n"
    descriptor = os.open(os.environ[FILE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def record_job(event: str, job: Job) -> None:
    """Append one event of a job, with all that the job came with."""
    record(
        event,
        agent_name=job.agent_name,
        job_id=job.id,
        dispatch_id=job.dispatch_id,
        room=job.room.name,
        sid=job.room.sid,
        metadata=job.metadata,
        room_metadata=job.room.metadata,
        attributes=dict(job.attributes),
    )


def record_end(ctx: JobContext) -> None:
    """Append `ended` when this job shuts down."""

    async def ended() -> None:
        record_job("ended", ctx.job)

    ctx.add_shutdown_callback(ended)
