"""A worker that is limited by its jobs takes so many and no more."""

from __future__ import annotations

from typing import cast

import pytest
from livekit.agents import AgentServer

from worker.load import FULL, load_by_jobs


class FakeServer:
    """A server with so many jobs."""

    def __init__(self, jobs: int) -> None:
        self.active_jobs = [object()] * jobs

    @property
    def real(self) -> AgentServer:
        return cast("AgentServer", self)


@pytest.mark.parametrize("limit", range(1, 100))
def test_a_worker_is_full_with_its_last_job_and_not_before(limit: int) -> None:
    """livekit-agents takes a job while the load is below its threshold, which is the number that is compared with here."""
    load = load_by_jobs(limit)
    assert load(FakeServer(limit - 1).real) < FULL
    assert load(FakeServer(limit).real) >= FULL
