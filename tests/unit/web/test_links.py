"""Links: absolute when it is known where people reach us."""

from dataclasses import replace

from orchestrator.core.causes import Cause
from orchestrator.web.links import Links
from tests.unit.core.stories import opened, play

SESSION = play(opened())


def test_links_are_absolute_under_the_public_url() -> None:
    links = Links("https://rollcall.example/base/")
    assert links.session(SESSION) == "https://rollcall.example/base/sessions/RM_story"
    assert links.screen(SESSION) == "https://rollcall.example/base/#/sessions/RM_story"
    assert links.runbook(Cause.NOT_TAKEN) == "https://rollcall.example/base/runbook#not-taken"


def test_without_a_public_url_links_are_paths() -> None:
    links = Links(None)
    assert (links.session(SESSION), links.screen(SESSION)) == ("/sessions/RM_story", "/#/sessions/RM_story")
    assert links.runbook(Cause.LEFT) == "/runbook#left"


def test_a_team_may_have_a_runbook_of_its_own() -> None:
    links = Links(None, "https://wiki.example/rollcall")
    assert links.runbook(Cause.LEFT) == "https://wiki.example/rollcall#left"


def test_a_sid_is_one_segment_whatever_it_holds() -> None:
    odd = replace(SESSION, sid="a/../b?")
    assert Links(None).session(odd) == "/sessions/a%2F..%2Fb%3F"
    assert Links(None).screen(odd) == "/#/sessions/a%2F..%2Fb%3F"
