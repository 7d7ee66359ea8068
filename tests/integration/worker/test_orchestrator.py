"""The worker's line to the orchestrator: what goes over it, and that nothing which goes wrong on it costs a job."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.harness.ports import free_port
from tests.fakes.orchestrator import DROP, FakeOrchestrator, fake_orchestrator
from worker.orchestrator import CHECK_SECONDS, Announcement, Item, Orchestrator, OrchestratorClient, OrchestratorError
from worker.settings import SettingsError

TOKEN = "token-of-the-worker"
ATTEMPT = "/sessions/RM_1/attempts/x7"
SWITCH = "/sessions/RM_1/switch"

PRESENT = Announcement(
    agent_name="mary",
    load=0.25,
    active_jobs=3,
    capacity=12,
    version="1.2.0",
    region="eu",
    capabilities=("german", "billing"),
    draining=False,
)


@pytest_asyncio.fixture
async def rollcall() -> AsyncIterator[FakeOrchestrator]:
    async with fake_orchestrator() as fake:
        yield fake


@pytest.fixture
def client(rollcall: FakeOrchestrator) -> OrchestratorClient:
    return OrchestratorClient(rollcall.url, TOKEN)


def nobody_there() -> OrchestratorClient:
    return OrchestratorClient(f"http://127.0.0.1:{free_port()}", TOKEN)


async def test_a_worker_announces_itself_with_its_token_and_withdraws(
    rollcall: FakeOrchestrator, client: OrchestratorClient
) -> None:
    await client.announce("AW_1", PRESENT)
    await client.withdraw("AW_1")
    put, delete = rollcall.requests
    assert (put.method, put.path, put.headers["Authorization"]) == ("PUT", "/workers/AW_1", f"Bearer {TOKEN}")
    assert put.body == {
        "agent_name": "mary",
        "load": 0.25,
        "active_jobs": 3,
        "capacity": 12,
        "version": "1.2.0",
        "region": "eu",
        "capabilities": ["german", "billing"],
        "draining": False,
    }
    assert (delete.method, delete.path, delete.body) == ("DELETE", "/workers/AW_1", None)


async def test_without_a_token_none_is_sent(rollcall: FakeOrchestrator) -> None:
    """As with `--dev`."""
    await OrchestratorClient(rollcall.url, "").withdraw("AW_1")
    assert "Authorization" not in rollcall.requests[0].headers


@pytest.mark.parametrize(
    ("status", "answer", "current"),
    [
        (200, {"current": True}, True),
        (200, {"current": False}, False),
        (200, {}, True),
        (200, "nonsense", True),
        (404, {"title": "Not found"}, True),
        (403, {}, True),
        (500, {}, True),
        (302, {}, True),
        (DROP, None, True),
    ],
)
async def test_an_attempt_counts_unless_the_orchestrator_says_that_it_does_not(
    rollcall: FakeOrchestrator, client: OrchestratorClient, status: int, answer: Any, current: bool
) -> None:
    rollcall.answers["GET", ATTEMPT] = (status, answer)
    assert await client.attempt_is_current("RM_1", "x7") is current
    assert {one.path for one in rollcall.requests} == {ATTEMPT}


async def test_an_attempt_counts_when_nobody_is_there_to_ask() -> None:
    assert await nobody_there().attempt_is_current("RM_1", "x7")


async def test_an_orchestrator_that_hangs_delays_a_job_by_half_a_second_and_no_more(
    rollcall: FakeOrchestrator, client: OrchestratorClient, caplog: pytest.LogCaptureFixture
) -> None:
    rollcall.answering.clear()
    with caplog.at_level(logging.WARNING, "rollcall.worker"):
        assert await client.attempt_is_current("RM_1", "x7")
    assert CHECK_SECONDS == 0.5
    assert [getattr(record, "reason", None) for record in caplog.records] == ["no answer within 0.5 s"]


async def test_names_with_slashes_are_one_segment_of_the_path(rollcall: FakeOrchestrator, client: OrchestratorClient) -> None:
    await client.send_transcript("support/17 ü", "mary", [Item("1", "user", "Hello.", 1.5)])
    assert rollcall.requests[0].path == "/sessions/support%2F17%20%C3%BC/transcript"


async def test_what_was_said_goes_out_with_who_said_it_and_when(rollcall: FakeOrchestrator, client: OrchestratorClient) -> None:
    said = [Item("1", "user", "Hello.", 1.5), Item("2", "assistant", "Good d", 2.0, interrupted=True)]
    await client.send_transcript("RM_1", "mary", said)
    assert rollcall.requests[0].body == {
        "agent_name": "mary",
        "items": [
            {"id": "1", "role": "user", "text": "Hello.", "at": 1.5, "interrupted": False},
            {"id": "2", "role": "assistant", "text": "Good d", "at": 2.0, "interrupted": True},
        ],
    }


@pytest.mark.parametrize(("status", "temporary"), [(413, False), (403, False), (429, True), (503, True), (DROP, True)])
async def test_a_refusal_says_whether_it_is_worth_another_try(
    rollcall: FakeOrchestrator, client: OrchestratorClient, status: int, temporary: bool
) -> None:
    rollcall.answers["POST", "/sessions/RM_1/transcript"] = (status, {"detail": "no"})
    with pytest.raises(OrchestratorError) as refused:
        await client.send_transcript("RM_1", "mary", [Item("1", "user", "a secret", 1.5)])
    assert refused.value.temporary is temporary
    assert TOKEN not in str(refused.value)
    assert "a secret" not in str(refused.value)


async def test_a_switch_is_held_until_the_other_agent_is_verified(
    rollcall: FakeOrchestrator, client: OrchestratorClient
) -> None:
    rollcall.answers["POST", SWITCH] = (200, {"state": "verified"})
    assert await client.switch("RM_1", agent_name="tom", instead_of="mary", metadata={"topic": "billing"})
    (asked,) = rollcall.requests
    assert asked.path == f"{SWITCH}?hold=verified"
    assert asked.body == {"agent_name": "tom", "instead_of": "mary", "metadata": {"topic": "billing"}, "grace": 15.0}
    assert asked.headers["Idempotency-Key"]


@pytest.mark.parametrize("called_off", [204, 404, DROP])
async def test_a_switch_that_is_not_verified_in_time_did_not_work_out_and_is_called_off(
    rollcall: FakeOrchestrator, client: OrchestratorClient, called_off: int
) -> None:
    rollcall.answers["POST", SWITCH] = (202, {"state": "dispatching"})
    rollcall.answers["DELETE", "/sessions/RM_1/agents/tom"] = (called_off, None)
    assert not await client.switch("RM_1", agent_name="tom", instead_of=None)
    assert (rollcall.requests[-1].method, rollcall.requests[-1].path) == ("DELETE", "/sessions/RM_1/agents/tom")


async def test_a_switch_that_was_refused_calls_nobody_off(rollcall: FakeOrchestrator, client: OrchestratorClient) -> None:
    """The other agent may be there for a reason of its own."""
    rollcall.answers["POST", SWITCH] = (409, {"detail": "tom is in this session already"})
    assert not await client.switch("RM_1", agent_name="tom", instead_of=None)
    assert [asked.method for asked in rollcall.requests] == ["POST"]


async def test_a_switch_that_nobody_waits_for_is_good_when_it_is_taken(
    rollcall: FakeOrchestrator, client: OrchestratorClient
) -> None:
    rollcall.answers["POST", SWITCH] = (202, {"state": "dispatching"})
    assert await client.switch("RM_1", agent_name="tom", instead_of=None, hold=False)
    assert rollcall.requests[0].path == SWITCH


async def test_a_switch_that_is_refused_says_why_in_the_log(
    rollcall: FakeOrchestrator, client: OrchestratorClient, caplog: pytest.LogCaptureFixture
) -> None:
    rollcall.answers["POST", SWITCH] = (422, {"detail": "tim is not configured; did you mean tom?"})
    with caplog.at_level(logging.WARNING, "rollcall.worker"):
        assert not await client.switch("RM_1", agent_name="tim", instead_of=None)
    (record,) = caplog.records
    assert getattr(record, "reason", None) == "answered 422: tim is not configured; did you mean tom?"


async def test_a_switch_whose_answer_was_lost_is_asked_for_once_more_under_the_same_key(
    rollcall: FakeOrchestrator, client: OrchestratorClient
) -> None:
    rollcall.answers["POST", SWITCH] = (DROP, None)
    assert not await client.switch("RM_1", agent_name="tom", instead_of=None)
    assert len(rollcall.requests) == 2
    assert len({one.headers["Idempotency-Key"] for one in rollcall.requests}) == 1


async def test_a_switch_with_nobody_to_ask_is_no_error() -> None:
    assert not await nobody_there().switch("RM_1", agent_name="tom", instead_of=None)


@pytest.mark.parametrize("written", ["", "  "])
def test_without_a_url_there_is_no_orchestrator(written: str) -> None:
    settings = Orchestrator.from_environment({"ROLLCALL_URL": written, "ROLLCALL_API_TOKEN": TOKEN})
    assert settings.url is None
    assert settings.client() is None


@pytest.mark.parametrize(
    "written",
    [
        "rollcall:8080",
        "ws://rollcall",
        "https:///sessions",
        "http://rollcall:port",
        "http://a:b@rollcall",
        "http://rollcall/?token=x",
        "http://[1",
    ],
)
def test_an_address_that_is_none_is_refused_at_start_and_not_repeated(written: str) -> None:
    with pytest.raises(SettingsError, match="ROLLCALL_URL") as refused:
        Orchestrator.from_environment({"ROLLCALL_URL": written})
    assert written not in str(refused.value)


def test_the_token_may_stand_in_a_file_and_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    settings = Orchestrator.from_environment({"ROLLCALL_URL": "http://rollcall/base/", "ROLLCALL_API_TOKEN_FILE": str(file)})
    assert settings == Orchestrator("http://rollcall/base", TOKEN)
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize(
    "environment",
    [
        {"ROLLCALL_API_TOKEN_FILE": "/nowhere/token"},
        {"ROLLCALL_API_TOKEN": "a", "ROLLCALL_API_TOKEN_FILE": "/nowhere/token"},
        {"ROLLCALL_API_TOKEN": "two\nlines"},
    ],
)
def test_a_token_that_cannot_be_used_is_refused_at_start(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="TOKEN"):
        Orchestrator.from_environment({"ROLLCALL_URL": "http://rollcall", **environment})
