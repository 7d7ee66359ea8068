"""Sessions as a table: what fits on a terminal, and what a pipe gets."""

import pytest

from orchestrator.client.session_list import session_table
from tests.unit.client.answering import THEN, at, missing, printed, told, verified

LONG = "a-room-whose-name-is-much-longer-than-any-terminal-is-wide-as-programs-make-them-up-when-nobody-says-no"


def test_a_session_is_one_line_with_what_tells_whether_it_is_well() -> None:
    assert printed(session_table([told(missing()), told(verified())], THEN, 80), 80) == [
        "ROOM        STATE       AGENTS  TRIES  AGE   PEOPLE  PROOF      CAUSE",
        "support-18  unverified  mary    1      1m0s  1       none       not_taken",
        "support-17  verified    mary    1      1m0s  1       answering  -",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_on_a_narrow_terminal_the_name_of_the_room_is_cut_and_nothing_else(width: int) -> None:
    _, line = printed(session_table([told(at(missing(), room=LONG))], THEN, width), width)

    assert line.startswith("a-room-whose-name-is")
    assert "…  unverified  mary  " in line
    assert line.endswith("none   not_taken")
    assert len(line) <= width


def test_a_pipe_gets_the_whole_name() -> None:
    assert LONG in printed(session_table([told(at(missing(), room=LONG))], THEN, 100_000), 100_000)[1]


def test_the_worst_of_several_agents_comes_first() -> None:
    line = printed(session_table([told(verified("support-17", "mary", "tom"))], THEN, 80), 80)[1]

    assert "dispatching  tom, mary" in line


def test_a_name_cannot_colour_the_terminal_or_move_its_cursor() -> None:
    line = printed(session_table([told(at(missing(), room="\x1b[31mred\r\u202e"))], THEN, 80), 80)[1]

    assert line.startswith("\\x1b[31mred\\r\\u202e  unverified")


def test_colour_never_is_all_that_tells_the_state() -> None:
    table = session_table([told(missing())], THEN, 80)

    assert "\x1b[" in "".join(printed(table, 80, colour=True))
    assert "\x1b[" not in "".join(printed(table, 80))
    assert "unverified" in "".join(printed(table, 80))
