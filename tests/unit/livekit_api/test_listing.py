"""LiveKit's messages, read into records."""

import pytest
from livekit.protocol import agent, agent_dispatch, models

from orchestrator.core.facts import JobStatus
from orchestrator.core.listing import ListedDispatch, ListedJob, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key
from orchestrator.livekit.listing import listed_dispatch, listed_participant, listed_room

KEY = Key("RM_1", "mary", 3, "0a1b")
IN_METADATA = '{"persona": "mary", "rollcall": {"session": "RM_1", "placement": "mary", "attempt": 3, "attempt_id": "0a1b"}}'
Kind = models.ParticipantInfo.Kind
State = models.ParticipantInfo.State


def test_a_room_has_its_time_in_milliseconds() -> None:
    room = models.Room(sid="RM_1", name="r", creation_time=17, creation_time_ms=17_250, metadata="{}", num_participants=2)
    assert listed_room(room) == ListedRoom("RM_1", "r", 17.25, "{}", 2)


def test_a_server_that_knows_only_seconds_is_believed_too() -> None:
    assert listed_room(models.Room(creation_time=17)).created_at == 17.0
    assert listed_participant(models.ParticipantInfo(joined_at=17)).joined_at == 17.0


def test_an_agent_is_listed_with_all_that_its_attributes_say() -> None:
    participant = models.ParticipantInfo(
        sid="PA_1",
        identity="agent-AJ_1",
        kind=Kind.AGENT,
        state=State.ACTIVE,
        joined_at_ms=17_250,
        attributes={
            **KEY.attributes(),
            "lk.agent_name": "mary",
            "lk.agent.state": "listening",
            "rollcall.done": "1",
        },
    )
    assert listed_participant(participant) == ListedParticipant(
        sid="PA_1",
        identity="agent-AJ_1",
        is_agent=True,
        is_person=False,
        active=True,
        joined_at=17.25,
        agent_name="mary",
        key=KEY,
        ready=True,
        done=True,
    )


def test_what_its_attributes_do_not_say_is_not_invented() -> None:
    listed = listed_participant(models.ParticipantInfo(identity="agent-AJ_1", kind=Kind.AGENT))
    assert (listed.agent_name, listed.key, listed.ready, listed.done) == (None, None, False, False)


@pytest.mark.parametrize(
    ("kind", "is_person", "is_agent"),
    [
        (Kind.STANDARD, True, False),
        (Kind.SIP, True, False),
        (Kind.CONNECTOR, True, False),
        (Kind.INGRESS, False, False),
        (Kind.EGRESS, False, False),
        (Kind.BRIDGE, False, False),
        (Kind.AGENT, False, True),
        (99, False, False),
    ],
)
def test_people_are_those_who_call_and_nobody_else(kind: Kind, is_person: bool, is_agent: bool) -> None:
    listed = listed_participant(models.ParticipantInfo(kind=kind))
    assert (listed.is_person, listed.is_agent) == (is_person, is_agent)


@pytest.mark.parametrize(
    ("state", "active"),
    [(State.JOINING, False), (State.JOINED, False), (State.ACTIVE, True), (State.DISCONNECTED, False)],
)
def test_only_an_active_participant_is_active(state: State, active: bool) -> None:
    assert listed_participant(models.ParticipantInfo(state=state)).active is active


def test_a_dispatch_is_listed_with_its_jobs() -> None:
    dispatch = agent_dispatch.AgentDispatch(
        id="AD_1",
        agent_name="mary",
        attributes=KEY.attributes(),
        state=agent_dispatch.AgentDispatchState(
            jobs=[
                agent.Job(
                    id="AJ_1",
                    state=agent.JobState(status=agent.JS_RUNNING, participant_identity="agent-AJ_1"),
                ),
                agent.Job(id="AJ_2", state=agent.JobState(status=agent.JS_FAILED, error="boom")),
            ]
        ),
    )
    assert listed_dispatch(dispatch) == ListedDispatch(
        "AD_1",
        "mary",
        KEY,
        (
            ListedJob("AJ_1", JobStatus.RUNNING, "agent-AJ_1", ""),
            ListedJob("AJ_2", JobStatus.FAILED, None, "boom"),
        ),
    )


@pytest.mark.parametrize(
    ("status", "read_as"),
    [
        (agent.JS_PENDING, JobStatus.PENDING),
        (agent.JS_RUNNING, JobStatus.RUNNING),
        (agent.JS_SUCCESS, JobStatus.SUCCESS),
        (agent.JS_FAILED, JobStatus.FAILED),
        (agent.JS_CANCELLED, JobStatus.PENDING),
        (99, JobStatus.PENDING),
    ],
)
def test_a_job_status_that_we_do_not_know_claims_nothing(status: agent.JobStatus, read_as: JobStatus) -> None:
    state = agent_dispatch.AgentDispatchState(jobs=[agent.Job(state=agent.JobState(status=status))])
    (job,) = listed_dispatch(agent_dispatch.AgentDispatch(state=state)).jobs
    assert job.status is read_as


def test_the_key_is_read_from_the_metadata_where_the_server_keeps_no_attributes() -> None:
    assert listed_dispatch(agent_dispatch.AgentDispatch(metadata=IN_METADATA)).key == KEY


def test_the_attributes_go_before_the_metadata() -> None:
    other = Key("RM_1", "mary", 4, "ffff")
    dispatch = agent_dispatch.AgentDispatch(metadata=IN_METADATA, attributes=other.attributes())
    assert listed_dispatch(dispatch).key == other


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "{}",
        "rollcall",
        '{"rollcall"',
        '{"rollcall": null}',
        '{"rollcall": {"session": "RM_1"}}',
        '["rollcall"]',
        '{"rollcall": ' + "[" * 100_000,
        '{"rollcall": {"session": 1, "placement": "mary", "attempt": "3", "attempt_id": "0a1b"}}',
    ],
)
def test_foreign_metadata_holds_no_key_and_does_no_harm(metadata: str) -> None:
    assert listed_dispatch(agent_dispatch.AgentDispatch(metadata=metadata)).key is None
