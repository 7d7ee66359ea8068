"""codec: what was stored is read as it was, also by the next version and the one before."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.facts import CandidateSpec, Fact, PersonJoined, PlacementSpec, RoomOpened, RoomStarted
from orchestrator.core.placement import placement_of
from orchestrator.core.policy import Policy
from orchestrator.core.session import SCHEMA_VERSION, Session
from orchestrator.runtime.ports import Alert, Delivered, StoreCorrupt
from orchestrator.store.codec import (
    decode_alert,
    decode_delivered,
    decode_fact,
    decode_session,
    encode_alert,
    encode_fact,
    encode_session,
)

st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(-(2**53), 2**53))
st.register_type_strategy(str, st.text(st.characters(codec="utf-8"), max_size=20))

SESSION = Session(sid="RM_1", room="support-17", started_at=100.0, opened_at=101.0, updated_at=102.0)


@pytest.mark.parametrize("kind", get_args(Fact))
def test_every_kind_of_fact_can_be_stored_and_read(kind: type[Fact]) -> None:
    @given(st.from_type(kind))
    def both_ways(fact: Fact) -> None:
        assert decode_fact(encode_fact(fact)) == fact

    both_ways()


@given(st.from_type(Session))
def test_every_session_can_be_stored_and_read(session: Session) -> None:
    assert decode_session(encode_session(session)) == session


@given(st.from_type(Alert))
def test_every_alert_can_be_stored_and_read(alert: Alert) -> None:
    assert decode_alert(encode_alert(alert)) == alert


def test_a_fact_is_stored_under_its_name_without_what_has_its_default() -> None:
    assert (
        encode_fact(RoomOpened("support-17", "RM_1", 100.0))
        == b'RoomOpened {"room":"support-17","sid":"RM_1","started_at":100.0}'
    )


def test_a_record_holds_its_schema_version_and_nothing_that_has_its_default() -> None:
    placement = placement_of(PlacementSpec((CandidateSpec("mary"),)), 100.0)
    stored = json.loads(encode_session(replace(SESSION, placements=(placement,))))
    assert stored == {
        "version": SCHEMA_VERSION,
        "session": {
            **_fields(SESSION),
            "placements": [
                {
                    "agent_name": "mary",
                    "candidates": [{"agent_name": "mary"}],
                    "policy": {},
                    "wanted_at": 100.0,
                    "first_wanted_at": 100.0,
                }
            ],
        },
    }


def _fields(session: Session) -> dict[str, object]:
    return {name: getattr(session, name) for name in ("sid", "room", "started_at", "opened_at", "updated_at")}


def test_a_value_that_equals_no_default_is_kept_also_where_it_looks_empty() -> None:
    policy = Policy(attempts=0, accept_window=0.0)
    spec = PlacementSpec((CandidateSpec("", ""),), policy)
    (placement,) = decode_session(encode_session(replace(SESSION, placements=(placement_of(spec, 1.0),)))).placements
    assert (placement.policy, placement.candidates) == (policy, spec.candidates)


def _with_version(version: int, **more: object) -> bytes:
    return json.dumps({"version": version, "session": {**_fields(SESSION), **more}}).encode()


def test_the_version_before_is_read() -> None:
    assert decode_session(_with_version(SCHEMA_VERSION - 1)) == SESSION


def test_fields_that_only_a_newer_version_knows_are_skipped() -> None:
    assert decode_session(_with_version(SCHEMA_VERSION, new_field={"deep": [1]})) == SESSION
    assert decode_fact(b'RoomStarted {"created_at":1.0,"new_field":true}') == RoomStarted(1.0)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, SCHEMA_VERSION - 2])
def test_any_other_version_is_refused(version: int) -> None:
    with pytest.raises(StoreCorrupt, match="schema version"):
        decode_session(_with_version(version))


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"version":1}',
        _with_version(SCHEMA_VERSION, sid=None),
        _with_version(SCHEMA_VERSION)[:-9],
        b"\xff",
    ],
)
def test_a_record_that_is_none_is_refused(record: bytes) -> None:
    with pytest.raises(StoreCorrupt):
        decode_session(record)


@pytest.mark.parametrize("fact", [b"", b"{}", b"RoomStarted", b"RoomStarted {}", b'Unheard {"of":1}', b"\xff {}", b"Source {}"])
def test_a_fact_that_is_none_is_refused(fact: bytes) -> None:
    with pytest.raises(StoreCorrupt):
        decode_fact(fact)


def test_an_entry_of_the_inbox_carries_time_and_people() -> None:
    person = b'PersonJoined {"participant_sid":"PA_1","identity":"caller","created_at":1.0}'
    assert decode_delivered(b"1763712345678 3 " + person) == Delivered(
        PersonJoined("PA_1", "caller", 1.0, people=3), 1763712345.678
    )
    assert decode_delivered(b'1763712345678  RoomStarted {"created_at":1.0}') == Delivered(RoomStarted(1.0), 1763712345.678)


@pytest.mark.parametrize("entry", [b"", b"x  RoomStarted {}", b"1 x RoomStarted {}", b"1", b'RoomStarted {"created_at":1.0}'])
def test_an_entry_of_the_inbox_that_is_none_is_refused(entry: bytes) -> None:
    with pytest.raises(StoreCorrupt):
        decode_delivered(entry)


def test_an_alert_that_is_none_is_refused() -> None:
    with pytest.raises(StoreCorrupt):
        decode_alert(b"{}")
