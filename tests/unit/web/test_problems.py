"""problem: RFC 9457, whole."""

import json

from orchestrator.web.problems import problem


def test_a_problem_says_what_is_wrong_in_the_form_of_rfc_9457() -> None:
    answer = problem(404, "Not Found", "There is none.", headers={"X-A": "b"}, near=["mary"])
    assert (answer.status, answer.reason, answer.content_type, answer.headers["X-A"]) == (
        404,
        "Not Found",
        "application/problem+json",
        "b",
    )
    assert isinstance(answer.body, bytes)
    assert json.loads(answer.body) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is none.",
        "near": ["mary"],
    }


def test_no_cache_keeps_a_refusal_which_may_name_rooms_and_is_over_in_a_moment() -> None:
    answer = problem(404, "Not Found", near=["support-17"], headers={"Allow": "GET"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_cannot_be_encoded_is_answered_all_the_same() -> None:
    answer = problem(404, "Not Found", 'none "\udc80"')
    assert isinstance(answer.body, bytes)
    assert json.loads(answer.body)["detail"] == 'none "\udc80"'
