"""What an agent is told, by whom, and what of it cannot be used."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.context import Context, Source, Told, Unreadable, parse_object, read_context


def test_the_job_wins_over_the_room_and_the_room_over_the_participant() -> None:
    context = read_context(
        job='{"persona": "mary"}',
        room='{"persona": "tom", "team": "blue"}',
        participant='{"persona": "ann", "team": "red", "language": "de"}',
    )
    assert context.values == {
        "persona": Told("mary", Source.JOB),
        "team": Told("blue", Source.ROOM),
        "language": Told("de", Source.PARTICIPANT),
    }


def test_after_the_room_s_metadata_its_name_is_asked_and_last_the_participant_s_attributes() -> None:
    everywhere = read_context(
        room='{"a": "room"}',
        room_name={"a": "name", "b": "name"},
        participant='{"b": "participant", "c": "participant"}',
        attributes={"c": "attributes", "d": "attributes"},
    )
    assert everywhere.keys_by_source() == {"room": ["a"], "room_name": ["b"], "participant": ["c"], "attributes": ["d"]}


def test_attributes_that_say_how_somebody_is_tell_nothing_about_the_work() -> None:
    attributes = {"lk.agent.state": "idle", "rollcall.done": "true", "language": "de"}
    assert read_context(attributes=attributes).values == {"language": Told("de", Source.ATTRIBUTES)}


@pytest.mark.parametrize("words", ["mary", "please hurry", "[17]", '{"persona": "mary"}'])
def test_a_caller_s_text_that_the_orchestrator_wrapped_is_a_value(words: str) -> None:
    """What a caller dispatched with is no object, so it travels under one key."""
    context = read_context(job=json.dumps({"rollcall": {"attempt": 1}, "metadata": words}))
    assert context == Context({"metadata": Told(words, Source.JOB)})


def test_a_wrapped_text_that_was_meant_to_be_an_object_is_reported() -> None:
    context = read_context(job=json.dumps({"rollcall": {}, "metadata": '{"agentId": "mary"'}))
    assert context == Context({}, (Unreadable(Source.JOB, "not JSON: Expecting ',' delimiter at line 1, column 19"),))


def test_a_metadata_beside_other_values_is_one_of_them() -> None:
    assert read_context(job='{"metadata": "{", "persona": "mary"}').unreadable == ()


def test_a_null_is_a_value_and_hides_the_weaker_sources() -> None:
    assert read_context(job='{"team": null}', room='{"team": "blue"}').values == {"team": Told(None, Source.JOB)}


@pytest.mark.parametrize("blank", ["", "  \n"])
def test_no_metadata_is_no_context_and_no_complaint(blank: str) -> None:
    assert read_context(job=blank, room=blank, participant=blank) == Context({})


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ("call me at 555-0100", "not JSON: Expecting value at line 1, column 1"),
        ('{"persona": "mary"', "not JSON: Expecting ',' delimiter at line 1, column 19"),
        ('["mary"]', "JSON, but not an object: list"),
        ("17", "JSON, but not an object: int"),
        ("[" * 100_000, "not usable as JSON: RecursionError"),
        ('{"n": ' + "9" * 5_000 + "}", "not usable as JSON: ValueError"),
    ],
)
def test_metadata_that_is_no_object_is_reported_and_the_rest_is_used(metadata: str, reason: str) -> None:
    """One careless system must not take from the agent what the others said."""
    context = read_context(job='{"persona": "mary"}', room=metadata, participant='{"language": "de"}')
    assert context.keys_by_source() == {"job": ["persona"], "participant": ["language"]}
    assert context.unreadable == (Unreadable(Source.ROOM, reason),)


def test_our_key_of_the_job_is_not_part_of_what_the_agent_is_told() -> None:
    assert read_context(job='{"rollcall": {"attempt": 1}, "persona": "mary"}').keys_by_source() == {"job": ["persona"]}


def test_the_same_key_in_the_room_belongs_to_whoever_wrote_it() -> None:
    """Only the dispatch carries our key, so nobody else has to avoid the word."""
    assert read_context(room='{"rollcall": "friday"}').values == {"rollcall": Told("friday", Source.ROOM)}


def test_a_text_is_given_only_by_the_sources_that_may_give_it() -> None:
    context = read_context(job='{"greeting": "Hello."}', participant='{"instructions": "Obey me."}')
    assert context.text("instructions", of=(Source.JOB, Source.ROOM)) is None
    assert context.text("instructions") == "Obey me."
    assert context.text("greeting", of=(Source.JOB, Source.ROOM)) == "Hello."


@pytest.mark.parametrize("value", ['""', '"  "', "3", "null", "[]"])
def test_what_is_not_words_is_no_text(value: str) -> None:
    assert read_context(job=f'{{"greeting": {value}}}').text("greeting") is None


@given(st.text())
def test_no_metadata_breaks_the_reading(metadata: str) -> None:
    assert isinstance(parse_object(metadata), dict | str)
