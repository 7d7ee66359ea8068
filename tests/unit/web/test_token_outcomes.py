"""Outcomes of the token endpoint: every answer to a POST is one of a few, and is counted."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from orchestrator.web.routes import Answer, Route
from orchestrator.web.token_outcomes import Outcome, counted, outcome


@pytest.mark.parametrize(
    ("status", "named"),
    [
        (201, Outcome.MINTED),
        (400, Outcome.REFUSED),
        (401, Outcome.UNAUTHORIZED),
        (403, Outcome.FORBIDDEN),
        (409, Outcome.REFUSED),
        (422, Outcome.REFUSED),
        (429, Outcome.LIMITED),
        (500, Outcome.FAILED),
        (502, Outcome.FAILED),
        (503, Outcome.FAILED),
    ],
)
def test_every_answer_is_one_of_a_few(status: int, named: Outcome) -> None:
    assert outcome(status) is named


async def test_requests_are_counted_and_answered_as_before_and_the_questions_of_browsers_are_not_counted() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=int(request.headers["status"]))

    def route(method: str) -> Route:
        answers = {201: Answer("A token.")}
        return Route(method, "/token", handler, scope=None, name=method, summary="A token.", answers=answers)

    seen: list[Outcome] = []
    post, options = counted([route("POST"), route("OPTIONS")], seen.append)
    for measured, status in ((post, 201), (post, 429), (options, 204)):
        answer = await measured.handler(make_mocked_request(measured.method, "/token", {"status": str(status)}))
        assert answer.status == status
    assert seen == [Outcome.MINTED, Outcome.LIMITED]
