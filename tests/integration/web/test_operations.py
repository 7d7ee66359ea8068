"""What operators do to sessions: what is answered, what becomes of the session, and what the audit log says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from orchestrator.core import facts as f
from orchestrator.core.audit import Action
from orchestrator.core.causes import Cause
from orchestrator.core.placement import PlacementState
from tests.integration.web.doing import Doing
from tests.integration.web.door import NOW
from tests.unit.core.stories import SID, accepted, agent_joined, opened, person_joined, requested, routed

ROOM = "support-17"
REDISPATCH = f"/sessions/{ROOM}/redispatch"
CANCEL = f"/sessions/{ROOM}/cancel"
RESOLVE = f"/sessions/{ROOM}/resolve"
MANY = "/redispatch"

OPERATIONS = [("POST", REDISPATCH), ("POST", CANCEL), ("POST", RESOLVE), ("POST", MANY), ("GET", "/audit")]

Client = TestClient[Any, Any]


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer a-token-to-{scope}"}


@pytest.fixture
def doing() -> Doing:
    return Doing()


@pytest.fixture
async def client(doing: Doing, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(doing.app, headers=bearer("operate"))


@pytest.fixture
async def stranger(doing: Doing, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(doing.app)


@pytest.fixture
async def served(doing: Doing) -> None:
    """Mary serves a person."""
    await doing.tell(opened(ROOM), person_joined(), routed("mary"), requested(), accepted(), agent_joined())


@pytest.fixture
async def missed(doing: Doing) -> None:
    """Mary was given up."""
    ended = f.AttemptEnded("mary", 1, Cause.NOT_TAKEN)
    given_up = f.GaveUp("mary", Cause.NOT_TAKEN)
    await doing.tell(opened(ROOM), person_joined(), routed("mary"), requested(), accepted(), ended, given_up)


async def rooms(doing: Doing, count: int) -> list[str]:
    """So many sessions, each a second younger than the one before; mary waits for a worker in all of them."""
    for number in range(count):
        opening = f.RoomOpened(f"room-{number}", f"RM_{number}", NOW - 100 + number)
        await doing.tell(opening, routed("mary"), f.GaveUp("mary", Cause.NOT_TAKEN))
    return [f"RM_{number}" for number in range(count)]


async def asked(client: Client, path: str, body: Any = None, status: int = 202, *, key: str | None = None) -> Mapping[str, Any]:
    headers = {} if key is None else {"Idempotency-Key": key}
    async with client.post(path, json=body or {}, headers=headers) as response:
        answered: Mapping[str, Any] = await response.json()
        assert response.status == status, answered
        return answered


async def audited(client: Client, query: str = "") -> Mapping[str, Any]:
    async with client.get(f"/audit{query}") as response:
        assert response.status == 200
        answered: Mapping[str, Any] = await response.json()
        return answered


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_without_a_token_or_with_an_unknown_one_nothing_is_done(stranger: Client, method: str, path: str) -> None:
    for headers in ({}, bearer("nothing")):
        async with stranger.request(method, path, headers=headers) as response:
            assert response.status == 401


@pytest.mark.parametrize("scope", ["read", "mint", "worker"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_a_token_of_another_scope_does_nothing(stranger: Client, method: str, path: str, scope: str) -> None:
    async with stranger.request(method, path, headers=bearer(scope)) as response:
        assert response.status == 403


@pytest.mark.usefixtures("missed")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_an_operator_may(client: Client, method: str, path: str) -> None:
    async with client.request(method, path) as response:
        assert response.status in (200, 202)


# --- one session ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("missed")
async def test_a_redispatch_begins_a_new_round_closes_the_breaker_and_is_audited(client: Client, doing: Doing) -> None:
    answered = await asked(client, REDISPATCH, {"reason": "the worker is up again"})
    assert answered == {
        "room": ROOM,
        "sid": SID,
        "taken": [{"agent_name": "mary", "was": "unverified"}],
        "repeated": False,
    }
    placement = (await doing.session(SID)).placement("mary")
    assert (placement.state, placement.tries) == (PlacementState.WAITING, 0)
    assert doing.breakers.closed == ["mary"]
    (entry,) = (await audited(client))["entries"]
    assert {k: v for k, v in entry.items() if k not in ("id", "at")} == {
        "action": "redispatch",
        "scope": "operate",
        "reason": "the worker is up again",
        "room": ROOM,
        "sid": SID,
        "agent_name": None,
        "target": None,
        "taken": 1,
        "by": None,
    }


@pytest.mark.usefixtures("served")
async def test_by_its_sid_and_by_name_an_agent_that_serves_is_replaced(client: Client, doing: Doing) -> None:
    answered = await asked(client, f"/sessions/{SID}/redispatch", {"agent_name": "mary"})
    assert answered["taken"] == [{"agent_name": "mary", "was": "verified"}]
    assert (await doing.session(SID)).placement("mary").replacing == "agent-AJ_1"


@pytest.mark.usefixtures("served")
async def test_the_same_request_with_the_same_key_does_nothing_twice(client: Client, doing: Doing) -> None:
    await asked(client, REDISPATCH, {}, key="k-1")
    began = (await doing.session(SID)).placement("mary").asked
    again = await asked(client, REDISPATCH, {}, key="k-1")
    assert (again["taken"], again["repeated"]) == ([], True)
    assert (await doing.session(SID)).placement("mary").asked == began


@pytest.mark.usefixtures("missed")
async def test_a_repeated_request_that_had_done_all_there_was_to_do_is_no_conflict(client: Client) -> None:
    assert (await asked(client, RESOLVE, {}, key="k-1"))["repeated"] is False
    assert (await asked(client, RESOLVE, {}, key="k-1"))["repeated"] is True


@pytest.mark.usefixtures("served")
async def test_nobody_is_begun_anew_in_a_room_without_people(client: Client, doing: Doing) -> None:
    await doing.tell(opened(ROOM), f.PersonLeft("PA_alice", "alice", created_at=NOW))
    answered = await asked(client, REDISPATCH, {}, 409)
    assert answered["detail"] == "Nobody is in the room."
    assert (await audited(client))["entries"] == []


@pytest.mark.usefixtures("served")
async def test_an_agent_or_a_session_that_is_not_there_is_not_found(client: Client) -> None:
    assert (await asked(client, REDISPATCH, {"agent_name": "tom"}, 404))["agents"] == ["mary"]
    await asked(client, "/sessions/nowhere/redispatch", {}, 404)
    await asked(client, "/sessions/nowhere/cancel", {}, 404)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("body", [{"agent": "mary"}, {"reason": "x" * 501}, {"reason": "\u0000"}, {"reason": 1}, []])
async def test_a_body_of_another_form_is_refused(client: Client, body: Any) -> None:
    async with client.post(REDISPATCH, json=body) as response:
        assert response.status == 400


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("key", ["", "x" * 129, "sch\u00f6n"])
async def test_a_key_of_another_form_is_refused(client: Client, key: str) -> None:
    await asked(client, REDISPATCH, {}, 400, key=key)


@pytest.mark.usefixtures("served")
async def test_a_cancelled_session_wants_nobody_until_somebody_is_named(client: Client, doing: Doing) -> None:
    answered = await asked(client, CANCEL, {"reason": "wrong number"})
    assert answered["taken"] == [{"agent_name": "mary", "was": "verified"}]
    assert (await doing.session(SID)).placement("mary").state is PlacementState.CANCELLED
    assert (await asked(client, CANCEL))["taken"] == []
    await asked(client, REDISPATCH, {}, 409)
    await asked(client, REDISPATCH, {"agent_name": "mary"})
    assert (await doing.session(SID)).placement("mary").state is PlacementState.WAITING


@pytest.mark.usefixtures("missed")
async def test_an_incident_that_is_taken_is_resolved_with_its_note(client: Client, doing: Doing) -> None:
    answered = await asked(client, RESOLVE, {"note": "calling them"})
    assert answered["taken"] == [{"agent_name": "mary", "incident": f"{SID}/mary/1"}]
    session = await doing.session(SID)
    assert session.placement("mary").open_incident is None
    assert session.timeline[-1].detail == "calling them"
    await asked(client, RESOLVE, {}, 409)


async def test_what_was_done_to_agents_is_audited_too(client: Client, doing: Doing) -> None:
    await doing.tell(opened(ROOM), routed("mary"))
    await asked(client, f"/sessions/{ROOM}/switch?hold=verified&hold_seconds=0", {"agent_name": "tom"})
    async with client.delete(f"/sessions/{ROOM}/agents/mary") as response:
        assert response.status == 204
    await asked(client, f"/sessions/{ROOM}/agents", {"agent_name": "ann"}, 201)
    entries = (await audited(client))["entries"]
    told = [(entry["action"], entry["agent_name"], entry["target"]) for entry in entries]
    assert told == [("add_agent", "ann", None), ("remove_agent", "mary", None), ("switch_agent", "tom", "instead of mary")]


# --- many -----------------------------------------------------------------------------------------


async def test_many_are_taken_page_by_page_and_none_twice(client: Client, doing: Doing) -> None:
    sids = await rooms(doing, 5)
    taken: list[str] = []
    query = "?limit=2"
    while True:
        answered = await asked(client, MANY + query, {"reason": "up again"})
        taken += [session["sid"] for session in answered["sessions"]]
        if answered["cursor"] is None:
            break
        query = f"?limit=2&cursor={answered['cursor']}"
    assert sorted(taken) == sids
    for sid in sids:
        assert (await doing.session(sid)).placement("mary").state is PlacementState.WAITING
    entries = (await audited(client))["entries"]
    assert sum(entry["taken"] for entry in entries) == 5
    assert {entry["action"] for entry in entries} == {Action.REDISPATCH_MANY}
    assert entries[-1]["target"] == "limit=2"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?agent=mary", 5),
        ("?agent=tom", 0),
        ("?cause=not_taken&state=unverified", 5),
        ("?cause=left", 0),
        ("?state=verified", 0),
        ("?since=97.5s", 2),
        ("?since=2001-09-09T01:46:39Z", 0),
        ("?age=98s", 3),
    ],
)
async def test_only_those_are_taken_that_the_filter_means(client: Client, doing: Doing, query: str, count: int) -> None:
    await rooms(doing, 5)
    assert (await asked(client, MANY + query))["taken"] == count


@pytest.mark.usefixtures("served")
async def test_those_that_serve_are_taken_only_if_that_is_said(client: Client, doing: Doing) -> None:
    assert (await asked(client, MANY))["matched"] == 0
    skipped = await asked(client, f"{MANY}?state=verified")
    assert (skipped["matched"], skipped["skipped"], skipped["sessions"]) == (1, 1, [])
    assert (await doing.session(SID)).placement("mary").identity == "agent-AJ_1"
    assert (await asked(client, f"{MANY}?verified=true"))["taken"] == 1
    assert (await doing.session(SID)).placement("mary").replacing == "agent-AJ_1"


@pytest.mark.parametrize(
    "query",
    ["?state=ended", "?since=soon", "?limit=1001", "?limit=0", "?verified=yes", "?cursor=9", "?cursor=unverified:x", "?what=1"],
)
async def test_a_filter_that_is_none_is_refused(client: Client, query: str) -> None:
    await asked(client, MANY + query, {}, 400)


# --- the log --------------------------------------------------------------------------------------


async def test_the_log_is_paged_from_the_newest(client: Client, doing: Doing) -> None:
    await doing.tell(opened(ROOM), routed("mary"))
    for number in range(3):
        await asked(client, REDISPATCH, {"reason": str(number)})
    first = await audited(client, "?limit=2")
    rest = await audited(client, f"?limit=2&cursor={first['cursor']}")
    assert [entry["reason"] for entry in (*first["entries"], *rest["entries"])] == ["2", "1", "0"]
    assert rest["cursor"] is None


@pytest.mark.parametrize("query", ["?cursor=x", "?limit=0", "?state=verified", "?limit=1&limit=2"])
async def test_a_page_of_the_log_that_nobody_gave_is_refused(client: Client, query: str) -> None:
    async with client.get(f"/audit{query}") as response:
        assert response.status == 400
