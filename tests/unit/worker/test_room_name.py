"""What the name of a room says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.room_name import PatternError, RoomPattern


@pytest.mark.parametrize(
    ("pattern", "name", "parts"),
    [
        ("support-{team}-*", "support-blue-42", {"team": "blue"}),
        ("support-{team}-*", "support-blue-", {"team": "blue"}),
        ("{persona}-{customer}", "mary-ann-1", {"persona": "mary", "customer": "ann-1"}),
        ("{persona}", "mary", {"persona": "mary"}),
        ("*-{persona}", "room-1-mary", {"persona": "1-mary"}),
        ("call (+{country})", "call (+49)", {"country": "49"}),
        ("lobby", "lobby", {}),
    ],
)
def test_a_name_that_fits_gives_its_parts_each_as_short_as_can_be(pattern: str, name: str, parts: dict[str, str]) -> None:
    assert RoomPattern.parse(pattern).parts(name) == parts


@pytest.mark.parametrize("name", ["support--42", "support-blue", "other-blue-42", "", "support-"])
def test_a_name_that_does_not_fit_says_nothing(name: str) -> None:
    assert RoomPattern.parse("support-{team}-*").parts(name) == {}


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("{team}{persona}", "put text between them"),
        ("*{team}", "put text between them"),
        ("{team}-{team}", "twice"),
        ("{}", "no name"),
        ("{the team}", "no name"),
        ("support-{team", "left open"),
    ],
)
def test_a_pattern_that_could_mean_two_things_is_refused_with_the_fix(pattern: str, why: str) -> None:
    with pytest.raises(PatternError, match=why):
        RoomPattern.parse(pattern)


@given(st.text("ab-", min_size=1), st.text("ab-"))
def test_what_was_put_in_is_found_again(team: str, rest: str) -> None:
    """Whatever is around the part, the whole is what the name was."""
    found = RoomPattern.parse("x-{team}/{rest}").parts(f"x-{team}/y{rest}")
    assert found == {"team": team, "rest": f"y{rest}"}
