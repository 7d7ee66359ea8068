"""What is worth a line to whoever watches."""

from orchestrator.client.changes import changes
from orchestrator.core import facts as f
from tests.unit.client.answering import NOW, missing, printed, told, verified
from tests.unit.core.stories import START, play


def test_a_session_that_is_new_or_has_changed_gets_a_line_and_no_other() -> None:
    before = {"RM_1": told(verified()), "RM_2": told(missing())}
    ended = told(play(f.RoomFinished(created_at=START + 70), session=verified(), at=START + 70))
    after = {"RM_1": ended, "RM_2": before["RM_2"]}

    assert [(change.sid, change.was, change.state) for change in changes(before, after)] == [("RM_1", "verified", "ended")]
    assert [change.was for change in changes({}, {"RM_2": before["RM_2"]})] == [None]


def test_seconds_that_pass_are_no_change() -> None:
    before, after = told(missing(), NOW), told(missing(), NOW + 5)

    assert list(changes({"RM_2": before}, {"RM_2": after})) == []


def test_a_line_tells_when_which_room_and_from_what_to_what() -> None:
    [change] = changes({}, {"RM_1": told(verified())})

    assert printed(change.line(), 200)[0].startswith("00:16:40  support-17  verified  mary joined 0.")
    assert change.json()["room"] == "support-17"
