"""What of a webhook is kept for people to read: never a secret, nor the values of metadata."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator import contract
from orchestrator.livekit.redaction import HIDDEN, hides_room_metadata, redacted
from orchestrator.livekit.webhook import Event, parse
from tests.samples import WEBHOOKS, Sample

BODY: dict[str, Any] = {
    "event": "participant_joined",
    "id": "EV_1",
    "createdAt": "1700000000",
    "room": {
        "sid": "RM_1",
        "name": "support-17",
        "metadata": '{"plan": "gold"}',
        "turnPassword": "hush",
        "turn_password": "hush",
    },
    "participant": {
        "sid": "PA_1",
        "identity": "agent-AJ_1",
        "kind": "AGENT",
        "metadata": "private",
        "attributes": {"sip.phoneNumber": "+49", "lk.agent.name": "mary", "rollcall.attempt": "2"},
    },
    "job": {"id": "AJ_1", "metadata": "private", "token": "hush", "room": {"metadata": "", "turnPassword": "hush"}},
    "egressInfo": {"room": {"s3": {"secret": "hush"}}},
    "ingressInfo": {"streamKey": "hush"},
}


def kept(**changes: Any) -> dict[str, Any]:
    found = redacted(json.dumps(BODY | changes).encode())
    assert found is not None
    return found


def test_secrets_and_the_values_of_metadata_are_hidden() -> None:
    body = kept()
    assert body == {
        "event": "participant_joined",
        "id": "EV_1",
        "createdAt": "1700000000",
        "room": {"sid": "RM_1", "name": "support-17", "metadata": HIDDEN},
        "participant": {
            "sid": "PA_1",
            "identity": "agent-AJ_1",
            "kind": "AGENT",
            "metadata": HIDDEN,
            "attributes": {"sip.phoneNumber": HIDDEN, "lk.agent.name": "mary", "rollcall.attempt": "2"},
        },
        "job": {"id": "AJ_1", "metadata": HIDDEN, "token": HIDDEN, "room": {"metadata": ""}},
        "egressInfo": HIDDEN,
        "ingressInfo": HIDDEN,
    }


@pytest.mark.parametrize(
    "added",
    [
        {"credentials": {"apiKey": "hush"}},
        {"room": {"sid": "RM_1", "iceServers": [{"credential": "hush"}]}},
        {"participant": {"tracks": [{"sid": "TR_1", "key": "hush"}]}},
        {"job": {"id": "AJ_1", "state": {"status": "JS_RUNNING", "resume": {"key": "hush"}}}},
        {"participant": {"attributes": "hush"}},
        {"participant": {"attributes": ["hush"]}},
    ],
    ids=str,
)
def test_what_a_later_protocol_adds_is_not_kept_wherever_it_stands(added: dict[str, Any]) -> None:
    name, content = next(iter(added.items()))
    body = kept(**added)
    assert "hush" not in json.dumps(body)
    assert HIDDEN in json.dumps(body[name], ensure_ascii=False)
    assert "sid" not in content or body[name]["sid"] == content["sid"]


def test_it_is_known_whether_a_room_had_metadata() -> None:
    assert hides_room_metadata(kept())
    assert not hides_room_metadata(kept(room={"metadata": ""}))
    assert not hides_room_metadata({"room": "odd"})


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_not_kept(body: bytes) -> None:
    assert redacted(body) is None


@pytest.mark.parametrize("sample", WEBHOOKS, ids=str)
def test_a_recorded_webhook_tells_the_same_facts_when_it_comes_once_more(sample: Sample) -> None:
    told, again = parse(sample.body), parse(json.dumps(redacted(sample.body)).encode())
    if isinstance(told, Event):
        assert isinstance(again, Event)
        assert (again.facts, again.event_id, again.opening.sid) == (told.facts, told.event_id, told.opening.sid)
    else:
        assert again == told


def test_every_attribute_that_we_read_is_kept() -> None:
    ours = {value: "x" for name, value in vars(contract).items() if name.endswith("_ATTRIBUTE")}
    ours |= dict.fromkeys(contract.AGENT_NAME_ATTRIBUTES, "mary")
    assert kept(participant={"attributes": ours})["participant"]["attributes"] == ours
