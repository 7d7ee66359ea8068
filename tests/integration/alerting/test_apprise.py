"""The apprise sink, by a service of apprise's that posts JSON: what people read, and what is not sent or shown."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from orchestrator.alerting.ports import NotAccepted
from orchestrator.alerting.sinks.apprise import AppriseSink
from orchestrator.alerting.telling import Telling
from orchestrator.configuration.apprise_url import NotUnderstood
from tests.unit.alerting.outbox import FIRING, MANY, RESOLVED

TELLING = Telling({}, "https://rollcall.example/runbook")


class Service:
    def __init__(self) -> None:
        self.status = 200
        self.got: list[dict[str, Any]] = []

    async def post(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def url(service: Service, aiohttp_server: AiohttpServer) -> str:
    app = web.Application()
    app.router.add_post("/{any}", service.post)
    return str((await aiohttp_server(app)).make_url("/hunter2")).replace("http://", "json://")


async def test_people_read_who_is_missing_where_why_and_what_to_do(service: Service, url: str) -> None:
    await AppriseSink("a", url, TELLING).send(FIRING)
    (message,) = service.got
    assert message["title"] == "firing: unverified mary in support-17 (not_taken)"
    assert message["message"].splitlines() == [
        "No worker took the job of mary.",
        "Start one.",
        "https://rollcall.example/#/sessions/RM_1",
        "Runbook: https://rollcall.example/runbook#not-taken",
    ]
    assert message["type"] == "failure"


async def test_of_many_rooms_people_read_how_many_and_since_when(service: Service, url: str) -> None:
    ended = replace(MANY, status="resolved", at=MANY.at + 600, since=MANY.at, rooms=40)
    for alert in (MANY, replace(MANY, rooms=1), ended):
        await AppriseSink("a", url, TELLING).send(alert)
    assert [message["title"] for message in service.got] == [
        "firing: unverified mary in 2 rooms (not_taken) since 08:00Z",
        "firing: unverified mary in 1 room (not_taken) since 08:00Z",
        "resolved: unverified mary in 40 rooms (not_taken) since 08:00Z",
    ]


async def test_an_end_is_a_success(service: Service, url: str) -> None:
    await AppriseSink("a", url, TELLING).send(RESOLVED)
    assert service.got[0]["type"] == "success"


@pytest.mark.parametrize("status", [307, 400, 500])
async def test_what_the_service_refuses_is_not_accepted_and_says_nothing_of_the_address(
    service: Service, url: str, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    service.status = status
    with pytest.raises(NotAccepted) as refusal:
        await AppriseSink("a", url, TELLING).send(FIRING)
    assert "hunter2" not in str(refusal.value) + caplog.text + "".join(capfd.readouterr())
    assert len(service.got) == 1


async def test_a_host_that_is_a_cloud_s_metadata_is_not_asked() -> None:
    with pytest.raises(NotAccepted, match="link-local or a cloud's metadata"):
        await AppriseSink("a", "json://169.254.169.254/latest", TELLING).send(FIRING)


async def test_a_url_that_apprise_does_not_know_is_refused_without_being_shown(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        AppriseSink("a", "nobody://hunter2", TELLING)
    assert "hunter2" not in str(refusal.value) + caplog.text + "".join(capfd.readouterr())
