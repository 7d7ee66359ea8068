"""The Alertmanager sink: what is posted is what the v2 API takes, and the same alert keeps its labels to its end."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from orchestrator.alerting.connecting import http_session
from orchestrator.alerting.ports import NotAccepted
from orchestrator.alerting.sinks.alertmanager import AlertmanagerSink, alertname
from orchestrator.alerting.telling import Telling
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.ports import Alert
from tests.unit.alerting.outbox import FIRING, RESOLVED

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
TELLING = Telling({}, "https://rollcall.example/runbook")


class Alertmanager:
    """Takes what the API's description calls postableAlerts, and refuses everything else as the real one does."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []

    async def post(self, request: web.Request) -> web.Response:
        alerts = await request.json()
        if request.content_type != "application/json" or not isinstance(alerts, list):
            return web.Response(status=415)
        if not all(map(self._postable, alerts)):
            return web.Response(status=400)
        self.alerts += alerts
        return web.Response()

    @staticmethod
    def _postable(alert: dict[str, Any]) -> bool:
        texts = [*alert["labels"].items(), *alert.get("annotations", {}).items()]
        return (
            set(alert) <= {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}
            and "alertname" in alert["labels"]
            and all(LABEL.fullmatch(name) and isinstance(value, str) and value for name, value in texts)
            and all(TIME.fullmatch(alert[name]) for name in ("startsAt", "endsAt") if name in alert)
            and alert["startsAt"] <= alert["endsAt"]
        )


@pytest.fixture
def manager() -> Alertmanager:
    return Alertmanager()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with http_session(anywhere=False) as session:
        yield session


@pytest.fixture
async def sink(manager: Alertmanager, aiohttp_server: AiohttpServer, http: aiohttp.ClientSession) -> AlertmanagerSink:
    app = web.Application()
    app.router.add_post("/prefix/api/v2/alerts", manager.post)
    url = str((await aiohttp_server(app)).make_url("/prefix"))
    return AlertmanagerSink("am", url, TELLING, http, StoreClock())


async def test_an_alert_arrives_with_its_labels_for_grouping_and_its_annotations_for_people(
    sink: AlertmanagerSink, manager: Alertmanager
) -> None:
    await sink.send(FIRING)
    (alert,) = manager.alerts
    assert alert["labels"] == {
        "alertname": "RollcallUnverified",
        "severity": "critical",
        "agent": "mary",
        "cause": "not_taken",
        "room": "support-17",
        "sid": "RM_1",
        "incident": "RM_1/mary/1",
    }
    assert alert["annotations"] == {
        "summary": "No worker took the job of mary.",
        "description": "Start one.",
        "runbook_url": "https://rollcall.example/runbook#not-taken",
        "dashboard_url": "https://rollcall.example/#/sessions/RM_1",
    }
    assert alert["generatorURL"] == "https://rollcall.example/#/sessions/RM_1"
    assert alert["startsAt"] == "2025-11-21T08:00:00.500Z"


async def test_an_end_has_the_same_labels_and_lies_behind_it(sink: AlertmanagerSink, manager: Alertmanager) -> None:
    await sink.send(FIRING)
    await sink.send(replace(RESOLVED, since=FIRING.at))
    firing, resolved = manager.alerts
    assert resolved["labels"] == firing["labels"]
    assert (resolved["startsAt"], resolved["endsAt"]) == (firing["startsAt"], "2025-11-21T08:01:00.000Z")


async def test_what_is_about_the_service_has_no_labels_of_rooms(sink: AlertmanagerSink, manager: Alertmanager) -> None:
    await sink.send(Alert("a", "no_worker_announced", "firing", "no_worker_announced:/1", 1.0, agent_name="", summary="Gone."))
    (alert,) = manager.alerts
    assert alert["labels"] == {
        "alertname": "RollcallNoWorkerAnnounced",
        "severity": "warning",
        "agent": "(unnamed)",
        "incident": "no_worker_announced:/1",
    }
    assert alert["annotations"]["runbook_url"] == "https://rollcall.example/runbook#alert-no-worker-announced"


async def test_a_name_with_half_a_character_reaches_people_all_the_same(sink: AlertmanagerSink, manager: Alertmanager) -> None:
    await sink.send(replace(FIRING, room="a\ud800b"))
    assert manager.alerts[0]["labels"]["room"] == "a?b"


async def test_an_alertmanager_at_another_path_has_accepted_nothing(
    sink: AlertmanagerSink, http: aiohttp.ClientSession
) -> None:
    wrong = AlertmanagerSink("am", sink._url.removesuffix("/prefix/api/v2/alerts"), TELLING, http, StoreClock())
    with pytest.raises(NotAccepted, match=r"^HTTP 404$"):
        await wrong.send(FIRING)


def test_alerts_are_named_as_the_rules_for_prometheus_name_theirs() -> None:
    names = [alertname(kind) for kind in ("livekit_unreachable", "store_trouble", "watchdog", "livekit_rejected_credentials")]
    assert names == [
        "RollcallLiveKitUnreachable",
        "RollcallStoreTrouble",
        "RollcallWatchdog",
        "RollcallLiveKitRejectedCredentials",
    ]
