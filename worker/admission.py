"""Which jobs a worker takes: all but those of attempts that a newer one has replaced."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from orchestrator.contract import ATTEMPT_ID_ATTRIBUTE, SESSION_ATTRIBUTE
from worker.orchestrator import Orchestrator
from worker.roll import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from livekit.agents import JobRequest

log = logging.getLogger("rollcall.worker")


async def accept(request: JobRequest) -> None:
    """Take the job, and carry our key into the room from the first moment; or reject it if its attempt counts no more.

    Give it to livekit-agents as `on_request`. A worker that has to decide for itself calls `is_replaced` and `key_of` instead.
    """
    key = key_of(request.job.attributes, request.job.metadata)
    if await is_replaced(key):
        log.info("job of a replaced attempt rejected", extra={"job_id": request.job.id, "dispatch_id": request.job.dispatch_id})
        # Terminated, so that LiveKit does not offer it to the next worker: what holds for one holds for all.
        await request.reject(terminate=True)
        return
    await request.accept(attributes=key)


async def is_replaced(key: Mapping[str, str]) -> bool:
    """Whether the orchestrator says that the attempt of this key has ended; when it says nothing in time, it has not."""
    orchestrator = Orchestrator.from_environment(os.environ).client()
    session, attempt_id = key.get(SESSION_ATTRIBUTE), key.get(ATTEMPT_ID_ATTRIBUTE)
    if orchestrator is None or not session or not attempt_id:
        return False
    return not await orchestrator.attempt_is_current(session, attempt_id)
