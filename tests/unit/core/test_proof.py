"""Which participant is which agent: keys, names and identities."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.proof import Key, agent_name_of, identity_of_job, is_ready, job_of_identity

text = st.text(max_size=20)
keys = st.builds(Key, text, text, st.integers(1, 10_000), text)


@given(keys)
def test_a_key_survives_attributes_and_metadata(key: Key) -> None:
    assert Key.read(key.attributes()) == key
    assert Key.read_reserved({"rollcall": key.reserved()}) == key


@given(st.dictionaries(st.sampled_from(["rollcall.session", "rollcall.attempt", "rollcall.attempt_id"]), text))
def test_a_key_that_is_not_whole_is_no_key(attributes: dict[str, str]) -> None:
    assert Key.read(attributes) is None


@given(st.recursive(st.none() | st.booleans() | st.integers() | text, lambda x: st.dictionaries(text, x) | st.lists(x)))
def test_metadata_of_any_shape_is_read_without_harm(metadata: object) -> None:
    assert Key.read_reserved(metadata) is None
    assert Key.read_reserved({"rollcall": metadata}) is None


def test_a_job_s_identity_leads_back_to_the_job_and_a_person_s_does_not() -> None:
    assert job_of_identity(identity_of_job("AJ_1")) == "AJ_1"
    assert job_of_identity("agent-smith") is None
    assert job_of_identity("AJ_1") is None


def test_the_server_s_stamp_goes_before_the_sdk_s() -> None:
    assert agent_name_of({"lk.agent.name": "sdk", "lk.agent_name": "server"}) == "server"
    assert agent_name_of({"lk.agent.name": "sdk"}) == "sdk"
    assert agent_name_of({}) is None


def test_an_agent_is_ready_by_its_state_or_by_its_own_word() -> None:
    assert is_ready({"lk.agent.state": "listening"})
    assert is_ready({"rollcall.ready": "1", "lk.agent.state": "initializing"})
    assert not is_ready({"lk.agent.state": "initializing"})
    assert not is_ready({})
