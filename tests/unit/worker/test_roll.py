"""Our key travels from the dispatch to the agent, by whichever way the server let through."""

import json

import pytest

from worker.roll import key_of

KEY = {"rollcall.session": "RM_1", "rollcall.placement": "mary", "rollcall.attempt": "2", "rollcall.attempt_id": "x7"}
METADATA = json.dumps(
    {
        "persona": "mary",
        "rollcall": {"session": "RM_1", "placement": "mary", "attempt": 2, "attempt_id": "x7", "resumes": {}},
    }
)


def test_the_key_is_taken_from_the_attributes_of_the_dispatch() -> None:
    assert key_of({**KEY, "theirs": "1"}, "") == KEY


def test_a_server_that_drops_attributes_leaves_the_key_in_the_metadata() -> None:
    assert key_of({}, METADATA) == KEY


@pytest.mark.parametrize("metadata", ["", "not json", "[]", "{}", '{"rollcall": "friday"}', '{"rollcall": {"session": []}}'])
def test_a_dispatch_that_is_not_ours_has_no_key(metadata: str) -> None:
    assert key_of({"theirs": "1"}, metadata) == {}
