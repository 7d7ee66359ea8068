"""One session as text."""

import pytest

from orchestrator.client.session_page import session_page
from tests.unit.client.answering import THEN, URL, at, missing, printed, told, verified

PAGE = """\
support-18  RM_2  unverified
mary is missing. No worker took the job of mary: none is registered under that name, all are full or refusing, or they
answered too late. LiveKit's API cannot tell which. 1 attempt was made; one attempt a minute goes on while people are in
the room.
Next: one attempt a minute while people are in the room
Started 1970-01-01 00:16:40Z, 1 min 0 s ago; people in the room: 1.

Agent mary  unverified
  proof  none
  cause  not_taken
  fix    Check that a worker is running with exactly the agent name mary, against the same LiveKit project, and that its
         load is below its threshold.
  attempt 1  of mary, proof accepted, cause not_taken
             requested 00:16:40.400, accepted +0.100 s, ended +0.100 s
             AD_1

Timeline (UTC)
  00:16:40.100  +0.100 s  webhook   room_started
  00:16:40.200  +0.100 s  rollcall  routed              routes[0]
  00:16:40.300  +0.100 s  webhook   participant_joined  alice
  00:16:40.400  +0.100 s  rollcall  dispatch_requested  mary, attempt 1
  00:16:40.500  +0.100 s  rollcall  dispatch_accepted   mary, attempt 1, AD_1
  00:16:40.600  +0.100 s  rollcall  attempt_ended       mary, attempt 1, AD_1, not_taken
  00:16:40.700  +0.100 s  rollcall  unverified          mary, not_taken

Links
  session  http://rollcall.example/sessions/RM_2
  screen   http://rollcall.example/#/sessions/RM_2
  runbook  http://rollcall.example/runbook#not-taken
  curl     curl -H "Authorization: Bearer $ROLLCALL_API_TOKEN" http://rollcall.example/sessions/RM_2
  lk       lk dispatch list support-18"""


def test_a_page_tells_verdict_agents_attempts_timeline_and_links() -> None:
    assert "\n".join(printed(session_page(told(missing()), THEN, URL), 120)) == PAGE


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, printed(session_page(told(missing()), THEN, URL), width))) <= width


def test_who_serves_and_answers_is_told_with_the_time_that_it_took() -> None:
    page = printed(session_page(told(verified()), THEN, URL), 120)

    assert "  identity       agent-AJ_1" in page
    assert "  answered       59.3 s ago, in 3.2 ms" in page
    assert any(line.startswith("  time to agent  0.") for line in page)


def test_warnings_are_on_the_page() -> None:
    page = printed(session_page(told(at(missing(), warnings=("Nobody of that name.",))), THEN, URL), 80)

    assert page[page.index("Warnings") + 1] == "  Nobody of that name."


def test_a_command_to_copy_takes_the_name_of_the_room_as_one_word() -> None:
    page = printed(session_page(told(at(missing(), room="two words; rm -r")), THEN, URL), 120)

    assert page[-1] == "  lk       lk dispatch list 'two words; rm -r'"
