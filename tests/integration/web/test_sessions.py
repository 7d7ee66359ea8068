"""GET /sessions: the on-call answer, whole."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from orchestrator.core.session import KEPT_TIMELINE, Session
from tests.integration.web.door import NOW, READ, Door
from tests.integration.web.raw import raw_get
from tests.unit.core.stories import accepted, agent_joined, opened, person_joined, play, requested, routed

STARTED = NOW - 60.0


@pytest.fixture
def door() -> Door:
    return Door(public_url="https://rollcall.example/")


@pytest.fixture
async def client(door: Door, aiohttp_client: AiohttpClient) -> TestClient[Any, Any]:
    return await aiohttp_client(door.app, headers=READ)


def session(room: str = "support-17", sid: str = "RM_1", started_at: float = STARTED, *facts: f.Fact) -> Session:
    begun = play(f.RoomOpened(room, sid, started_at), *(facts or (routed("mary"),)), at=started_at)
    return replace(begun, started_at=started_at)


def verified(sid: str = "RM_1") -> Session:
    return session(
        "support-17",
        sid,
        STARTED,
        f.RoomStarted(created_at=STARTED),
        routed("mary"),
        person_joined(),
        requested(),
        accepted(),
        agent_joined(at=STARTED),
        f.PulseAnswered("agent-AJ_1", rtt_ms=3.2),
    )


async def get(client: TestClient[Any, Any], path: str, status: int = 200, params: Mapping[str, str] | None = None) -> Any:
    response = await client.get(path, params=params)
    assert response.status == status, await response.text()
    assert response.content_type == ("application/json" if status == 200 else "application/problem+json")
    return await response.json(content_type=None)


async def test_a_verified_session_tells_its_whole_story(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(verified())
    assert await get(client, "/sessions/support-17") == {
        "room": "support-17",
        "sid": "RM_1",
        "state": "verified",
        "outcome": None,
        "verdict": "mary joined 0.40 s after the room started, on attempt 1.",
        "started_at": "1970-01-12T13:46:40.000Z",
        "updated_at": "1970-01-12T13:46:40.700Z",
        "ended_at": None,
        "people": 1,
        "next": None,
        "placements": [
            {
                "agent_name": "mary",
                "state": "verified",
                "proof": "answering",
                "cause": None,
                "fix": None,
                "identity": "agent-AJ_1",
                "served_by": None,
                "verified_at": "1970-01-12T13:46:40.600Z",
                "time_to_agent_ms": 400,
                "deadline_at": "1970-01-12T13:48:10.200Z",
                "awaited": None,
                "pulse": {"at": "1970-01-12T13:46:40.700Z", "age_s": 59.3, "rtt_ms": 3.2},
                "attempts_total": 1,
                "attempts": [
                    {
                        "number": 1,
                        "agent_name": "mary",
                        "dispatch_id": "AD_1",
                        "job_id": "AJ_1",
                        "identity": "agent-AJ_1",
                        "adopted": False,
                        "proof": "answering",
                        "cause": None,
                        "requested_at": "1970-01-12T13:46:40.400Z",
                        "accepted_at": "1970-01-12T13:46:40.500Z",
                        "joined_at": "1970-01-12T13:46:40.600Z",
                        "ended_at": None,
                    }
                ],
            }
        ],
        "warnings": [],
        "timeline": [
            {"at": "1970-01-12T13:46:40.100Z", "event": "room_started", "source": "webhook"},
            {"at": "1970-01-12T13:46:40.200Z", "event": "routed", "source": "rollcall", "detail": "routes[0]"},
            {
                "at": "1970-01-12T13:46:40.300Z",
                "event": "participant_joined",
                "source": "webhook",
                "identity": "alice",
            },
            {
                "at": "1970-01-12T13:46:40.400Z",
                "event": "dispatch_requested",
                "source": "rollcall",
                "agent_name": "mary",
                "attempt": 1,
            },
            {
                "at": "1970-01-12T13:46:40.500Z",
                "event": "dispatch_accepted",
                "source": "rollcall",
                "agent_name": "mary",
                "attempt": 1,
                "dispatch_id": "AD_1",
            },
            {
                "at": "1970-01-12T13:46:40.600Z",
                "event": "agent_joined",
                "source": "webhook",
                "agent_name": "mary",
                "identity": "agent-AJ_1",
            },
            {
                "at": "1970-01-12T13:46:40.600Z",
                "event": "verified",
                "source": "rollcall",
                "agent_name": "mary",
                "attempt": 1,
                "identity": "agent-AJ_1",
            },
        ],
        "links": {
            "self": "https://rollcall.example/sessions/RM_1",
            "screen": "https://rollcall.example/#/sessions/RM_1",
            "runbook": None,
        },
    }


async def test_an_unverified_session_names_cause_fix_runbook_and_what_goes_on(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(
        session(
            "support-17",
            "RM_1",
            STARTED,
            routed("mary"),
            requested(),
            f.AttemptEnded("mary", 1, Cause.NOT_TAKEN),
            f.GaveUp("mary", Cause.NOT_TAKEN),
        )
    )
    body = await get(client, "/sessions/RM_1")
    placement = body["placements"][0]
    assert (body["state"], body["next"]) == ("unverified", "one attempt a minute while people are in the room")
    assert (placement["state"], placement["proof"], placement["cause"]) == ("unverified", "none", "not_taken")
    assert placement["fix"] == (
        "Check that a worker is running with exactly the agent name mary, against the same LiveKit project, and that "
        "its load is below its threshold."
    )
    assert placement["attempts"][0]["cause"] == "not_taken"
    assert body["links"]["runbook"] == "https://rollcall.example/runbook#not-taken"


async def test_a_fallback_that_serves_is_named_and_warned_of(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(
        session(
            "support-17",
            "RM_1",
            STARTED,
            routed("mary", fallback=["tom"]),
            f.FallbackChosen("mary", 1, Cause.NOT_TAKEN),
            requested(agent="tom"),
            agent_joined(name="tom"),
        )
    )
    body = await get(client, "/sessions/support-17")
    placement = body["placements"][0]
    assert (placement["agent_name"], placement["state"], placement["served_by"]) == ("mary", "verified", "tom")
    assert body["warnings"] == [
        "mary did not come (not_taken); its fallback tom was asked instead.",
        "tom serves in place of mary.",
    ]


async def test_an_ended_session_keeps_its_outcome(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(play(f.RoomFinished(created_at=NOW), session=verified(), at=NOW))
    body = await get(client, "/sessions/support-17")
    assert (body["state"], body["outcome"], body["ended_at"]) == ("ended", "verified", "1970-01-12T13:47:40.000Z")


async def test_the_values_of_metadata_are_never_shown(door: Door, client: TestClient[Any, Any]) -> None:
    spec = f.PlacementSpec((f.CandidateSpec("mary", '{"persona":"hush-hush"}'),))
    begun = play(f.RoomOpened("support-17", "RM_1", STARTED, metadata='{"kind":"hush-hush"}'))
    door.archive.keep(begun)
    assert "hush-hush" not in str(await get(client, "/sessions/RM_1"))
    door.archive.keep(play(f.Routed((spec,), "routes[0]"), session=begun))
    assert "hush-hush" not in str(await get(client, "/sessions/RM_1"))


async def test_the_timeline_is_told_in_the_order_of_time(door: Door, client: TestClient[Any, Any]) -> None:
    begun = session()
    door.archive.keep(replace(begun, timeline=tuple(reversed(verified().timeline))))
    times = [entry["at"] for entry in (await get(client, "/sessions/RM_1"))["timeline"]]
    assert times == sorted(times)
    assert len(times) == 7


async def test_a_long_timeline_is_shown_as_it_is_kept(door: Door, client: TestClient[Any, Any]) -> None:
    people = [f.PersonJoined(f"PA_{n}", f"p{n}", created_at=STARTED, people=n) for n in range(3 * KEPT_TIMELINE)]
    door.archive.keep(session("support-17", "RM_1", STARTED, routed("mary"), *people))
    assert len((await get(client, "/sessions/RM_1"))["timeline"]) == 2 * KEPT_TIMELINE


async def test_a_room_means_its_newest_session(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(session(sid="RM_new", started_at=STARTED + 9), session(sid="RM_old"))
    assert (await get(client, "/sessions/support-17"))["sid"] == "RM_new"
    assert (await get(client, "/sessions/RM_old"))["sid"] == "RM_old"


async def test_what_starts_like_a_sid_may_be_the_name_of_a_room(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(session(room="RM_2", sid="RM_1"))
    assert (await get(client, "/sessions/RM_2"))["sid"] == "RM_1"
    door.archive.keep(session(room="lobby", sid="RM_2"))
    assert (await get(client, "/sessions/RM_2"))["room"] == "lobby"


NAMES = [
    "a/b",
    "/",
    "100%",
    "%2F",
    "%252f",
    "a b",
    "a+b",
    "größe 中文 🎧",
    ".",
    "..",
    "../x",
    "a?b#c",
    'q"u\\o',
    "x\x00y\n",
    "{room}",
]


@pytest.mark.parametrize("name", NAMES)
async def test_any_name_is_found_by_its_percent_encoded_segment(door: Door, client: TestClient[Any, Any], name: str) -> None:
    door.archive.keep(session(room=name), session(room="another", sid="RM_2"))
    status, body = await raw_get(client, "/sessions/" + quote(name, safe=""), READ)
    assert status == 200, body
    assert (body["room"], body["sid"]) == (name, "RM_1")


async def test_small_letters_in_a_percent_escape_mean_the_same(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(session(room="a/b"))
    assert (await raw_get(client, "/sessions/a%2fb", READ))[0] == 200


async def test_dots_that_are_fully_encoded_are_a_name_and_no_way_up(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(session(room=".."))
    assert (await raw_get(client, "/sessions/%2E%2E", READ))[0] == 200


async def test_a_room_without_a_name_is_found_by_its_sid(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(session(room=""))
    assert (await get(client, "/sessions/RM_1"))["room"] == ""
    await get(client, "/sessions/", 404)


async def test_an_unknown_room_is_a_problem_with_near_names(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(session(room="support-17"))
    assert await get(client, "/sessions/suport-17", 404) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": 'There is no session of a room or sid "suport-17". Did you mean "support-17"?',
        "near": ["support-17"],
    }


@pytest.mark.parametrize("segment", ["%ff%fe", "%ed%a0%80", "%zz", "%", "x" * 4000])
async def test_a_name_that_no_room_can_have_is_not_found(client: TestClient[Any, Any], segment: str) -> None:
    status, body = await raw_get(client, f"/sessions/{segment}", READ)
    assert (status, body["title"]) == (404, "Not Found")


async def test_the_list_holds_whole_sessions_newest_first(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(verified(), session(room="lobby", sid="RM_2", started_at=STARTED + 5))
    body = await get(client, "/sessions")
    assert [s["sid"] for s in body["sessions"]] == ["RM_2", "RM_1"]
    assert body == {
        "sessions": [await get(client, "/sessions/RM_2"), await get(client, "/sessions/RM_1")],
        "cursor": None,
    }


async def test_the_list_is_filtered(door: Door, client: TestClient[Any, Any]) -> None:
    unverified = (routed("tom"), f.GaveUp("tom", Cause.NO_WORKER))
    door.archive.keep(verified(), session("lobby", "RM_2", STARTED + 55, *unverified))

    async def sids(**params: str) -> list[str]:
        return [s["sid"] for s in (await get(client, "/sessions", params=params))["sessions"]]

    assert await sids(state="verified") == ["RM_1"]
    assert await sids(agent="tom") == ["RM_2"]
    assert await sids(cause="no_worker") == ["RM_2"]
    assert await sids(age="30s") == ["RM_1"]
    assert await sids(state="verified", agent="tom") == []
    assert await sids(state="", agent="", cause="", age="", cursor="", limit="") == ["RM_2", "RM_1"]


async def test_the_list_is_read_page_by_page(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(*(session(sid=f"RM_{n}", started_at=STARTED + n) for n in range(5)))
    seen: list[str] = []
    params: dict[str, str] = {}
    while True:
        page = await get(client, "/sessions", params={"limit": "2", **params})
        seen += [s["sid"] for s in page["sessions"]]
        if page["cursor"] is None:
            break
        params = {"cursor": page["cursor"]}
    assert seen == ["RM_4", "RM_3", "RM_2", "RM_1", "RM_0"]


STATES = ["dispatching", "verified", "unverified", "unrouted", "observed", "ended"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=late", {"detail": "There is no such value.", "parameter": "state", "allowed": STATES}),
        ("cause=bad_luck", {"detail": "There is no such value.", "parameter": "cause", "allowed": list(Cause)}),
        (
            "room=x",
            {
                "detail": "There is no such parameter.",
                "parameter": "room",
                "allowed": ["state", "agent", "cause", "age", "cursor", "limit"],
            },
        ),
        ("state=ended&state=verified", {"detail": "It is given twice.", "parameter": "state"}),
        (
            "age=old",
            {
                "detail": "It is no duration. Write a number with ms, s, m, h or d: 90s, 1.5h.",
                "parameter": "age",
            },
        ),
        ("limit=0", {"detail": "It must be a whole number from 1 to 100.", "parameter": "limit"}),
        ("limit=101", {"detail": "It must be a whole number from 1 to 100.", "parameter": "limit"}),
        ("limit=%C2%B2", {"detail": "It must be a whole number from 1 to 100.", "parameter": "limit"}),
        ("cursor=made-up", {"detail": "It is none that this service has given out.", "parameter": "cursor"}),
    ],
)
async def test_a_bad_filter_is_refused_with_what_is_allowed(
    client: TestClient[Any, Any], query: str, said: dict[str, Any]
) -> None:
    assert await raw_get(client, f"/sessions?{query}", READ) == (
        400,
        {"type": "about:blank", "title": "Bad Request", "status": 400, **said},
    )


@pytest.mark.parametrize("path", ["/sessions", "/sessions/support-17"])
async def test_without_the_store_the_answer_is_to_come_again(door: Door, client: TestClient[Any, Any], path: str) -> None:
    door.archive.down = True
    response = await client.get(path)
    assert response.headers["Retry-After"] == "2"
    assert (response.status, await response.json(content_type=None)) == (
        503,
        {
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "detail": "The store cannot be reached. Ask again.",
        },
    )


async def test_without_a_public_url_links_are_paths(aiohttp_client: AiohttpClient) -> None:
    door = Door()
    door.archive.keep(verified())
    client = await aiohttp_client(door.app, headers=READ)
    assert (await get(client, "/sessions/RM_1"))["links"] == {
        "self": "/sessions/RM_1",
        "screen": "/#/sessions/RM_1",
        "runbook": None,
    }


async def test_a_session_that_was_just_opened_can_be_seen(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.keep(play(opened()))
    body = await get(client, "/sessions/RM_story")
    assert (body["state"], body["placements"], body["people"]) == ("dispatching", [], 0)
