"""A worker takes every job but that of an attempt which a newer one has replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from livekit.agents import JobRequest
from livekit.agents.job import JobAcceptArguments
from livekit.protocol.agent import Job

import worker
from tests.fakes.orchestrator import FakeOrchestrator, fake_orchestrator

KEY = {"rollcall.session": "RM_1", "rollcall.placement": "mary", "rollcall.attempt": "2", "rollcall.attempt_id": "x7"}


class Answers:
    """What a worker answered LiveKit."""

    def __init__(self) -> None:
        self.accepted: list[JobAcceptArguments] = []
        self.rejected: list[bool] = []
        """For each rejection whether it was for all workers."""

    async def accept(self, arguments: JobAcceptArguments) -> None:
        self.accepted.append(arguments)

    async def reject(self, terminate: bool) -> None:
        self.rejected.append(terminate)

    async def to(self, attributes: dict[str, str]) -> Answers:
        """The answer to a request for a job of a dispatch with these attributes."""
        job = Job(id="AJ_1", attributes=attributes)
        await worker.accept(JobRequest(job=job, on_reject=self.reject, on_accept=self.accept))
        return self


@pytest_asyncio.fixture
async def rollcall(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeOrchestrator]:
    async with fake_orchestrator() as fake:
        monkeypatch.setenv("ROLLCALL_URL", fake.url)
        yield fake


async def test_a_job_is_accepted_with_our_key_from_the_first_moment(rollcall: FakeOrchestrator) -> None:
    rollcall.answers["GET", "/sessions/RM_1/attempts/x7"] = (200, {"current": True})
    answers = await Answers().to({**KEY, "theirs": "1"})
    assert [(one.identity, one.attributes) for one in answers.accepted] == [("agent-AJ_1", KEY)]


async def test_a_job_of_a_replaced_attempt_is_rejected_for_all_workers(rollcall: FakeOrchestrator) -> None:
    rollcall.answers["GET", "/sessions/RM_1/attempts/x7"] = (200, {"current": False})
    answers = await Answers().to(KEY)
    assert (answers.accepted, answers.rejected) == ([], [True])


async def test_a_job_that_somebody_else_dispatched_is_accepted_without_a_question(rollcall: FakeOrchestrator) -> None:
    answers = await Answers().to({"theirs": "1"})
    assert [one.attributes for one in answers.accepted] == [{}]
    assert rollcall.requests == []


async def test_without_an_orchestrator_every_job_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROLLCALL_URL", raising=False)
    assert len((await Answers().to(KEY)).accepted) == 1
