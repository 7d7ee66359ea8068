"""The composition root: the only module that knows every part, and in which order they start and stop.

Nothing here decides. What runs: the store's client, LiveKit's API, the runtime between them, the web in front.
"""

import hashlib
import socket
import uuid
from importlib.metadata import version
from typing import Final

import structlog
from aiohttp import ClientSession, DummyCookieJar, web
from prometheus_client.aiohttp import make_aiohttp_handler

from orchestrator.alerting import ports as alerting
from orchestrator.alerting.deliveries import Deliveries
from orchestrator.alerting.sinks.webhook import WebhookSink
from orchestrator.core.facts import Routed
from orchestrator.livekit.api import LiveKitApi
from orchestrator.observability.driven import DrivenSessions
from orchestrator.observability.measured_livekit import MeasuredLiveKit
from orchestrator.observability.measured_store import MeasuredStore
from orchestrator.observability.metrics import Metrics
from orchestrator.observability.observation import Observation
from orchestrator.observability.watching import watch_loop, watch_store
from orchestrator.runtime.aftercare import Aftercare
from orchestrator.runtime.alarm import Alarm
from orchestrator.runtime.asking import Asker
from orchestrator.runtime.attempt import AttemptRunner, AttemptTimes
from orchestrator.runtime.budget import Allowance, Budget, Purpose
from orchestrator.runtime.clock import StoreClock, SystemRandomness
from orchestrator.runtime.dispatcher import Dispatcher
from orchestrator.runtime.fencing import FencedLiveKit
from orchestrator.runtime.ghosts import GhostGuard
from orchestrator.runtime.intake import Intake
from orchestrator.runtime.looking import Looker
from orchestrator.runtime.owner import OwnerParts
from orchestrator.runtime.ownership import LeaseTimes, Ownership
from orchestrator.runtime.pacing import Pacing
from orchestrator.runtime.ports import LiveKit, StoreUnavailable
from orchestrator.runtime.pulse import PulseKeeper, PulseTimes
from orchestrator.runtime.steward import Steward
from orchestrator.runtime.tasks import Tasks
from orchestrator.settings import Settings
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.leases import ReplicaLeases
from orchestrator.store.outbox import Outbox
from orchestrator.store.sessions import Retention
from orchestrator.store.sessions import Sessions as StoredSessions
from orchestrator.store.slots import PacedSlots, SlotLimits
from orchestrator.store.wake import Wakes
from orchestrator.web import webhooks
from orchestrator.web.auth import Bearers
from orchestrator.web.health import Readiness
from orchestrator.web.links import Links
from orchestrator.web.server import build_app, build_runner
from orchestrator.web.sessions import Sessions

log = structlog.get_logger()

_STORE_RETRY: Final = 1.0
_CLOCK_PERIOD: Final = 5.0
"""Seconds between two readings of the store's clock."""


class Replica:
    """One running orchestrator."""

    def __init__(self, settings: Settings, redis_url: str) -> None:
        """Put the parts together; inside a running event loop. Nothing connects before `start`."""
        self.name = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self._settings = settings
        self._clock = StoreClock()
        self._metrics = Metrics(settings.agents, version("rollcall"))
        self._tasks = Tasks(lambda _name, _error: self._metrics.task_crashes.inc())
        self._keys = Keys()
        self._connection = Connection(redis_url, self._tasks.spawn)
        retention = Retention(ended=round(settings.session_memory), event=round(settings.dedupe_memory))
        stored = StoredSessions(self._connection, self._keys, retention)
        self._store = MeasuredStore(stored, self._metrics, self._clock)
        self._allowance = Allowance(settings.api_budget, self._clock, self._tasks)
        self._api = LiveKitApi(
            settings.livekit_url,
            settings.livekit_api_key,
            settings.livekit_api_secret.get_secret_value(),
            clock=self._clock,
            on_throttled=self._allowance.throttled,
            timeout=settings.api_timeout,
        )
        self._links = Links(settings.public_url, settings.runbook_url)
        self._slots = PacedSlots(
            self._connection,
            self._keys,
            SlotLimits(settings.slots_start, settings.slots_floor, settings.slots_ceiling),
        )
        self._pacing = Pacing(self._slots, self._clock)
        self._alert_http = ClientSession(cookie_jar=DummyCookieJar())
        sinks = self._build_sinks()
        self._outbox = Outbox(self._connection, self._keys, [sink.name for sink in sinks])
        self._deliveries = Deliveries(self._outbox, sinks, self._clock, SystemRandomness(), self._count_delivery)
        self._ownership = self._build_ownership()
        self._intake = Intake(self._store, self.name, self._ownership.wake)
        self._wakes = Wakes(
            self._connection,
            self._keys,
            self.name,
            on_session=self._ownership.wake,
            on_slots=self._pacing.freed,
            on_reconnect=self._ownership.wake_all,
            sleep=self._clock.sleep,
        )
        self._readiness = Readiness(self._store, self._clock, self._deliveries.warnings)
        self._metrics.registry.register(DrivenSessions(self._ownership.sessions, self._metrics.agent))
        self._runner = self._build_web()

    def _build_sinks(self) -> list[WebhookSink]:
        """A sink's name must outlive restarts and be the same everywhere, and must not show its address."""
        webhooks = [entry.webhook for entry in self._settings.alerts]
        return [
            WebhookSink(
                f"webhook-{hashlib.sha256(webhook.url.encode()).hexdigest()[:8]}",
                webhook.url,
                webhook.secret.get_secret_value(),
                self._alert_http,
                self._clock,
            )
            for webhook in webhooks
        ]

    def _count_delivery(self, sink: str, outcome: alerting.Outcome) -> None:
        self._metrics.alert_deliveries.labels(sink, outcome.value).inc()

    def _count_webhook(self, outcome: webhooks.Outcome) -> None:
        self._metrics.webhooks.labels(outcome.value).inc()

    def _build_ownership(self) -> Ownership:
        settings, clock = self._settings, self._clock
        livekit = self._build_livekit()
        randomness = SystemRandomness()
        asker = Asker(self._build_livekit(questions=Purpose.PULSE), livekit, settings.pulse_timeout)
        looker = Looker(livekit, asker, clock)
        attempts = AttemptRunner(
            livekit,
            looker,
            self._pacing,
            GhostGuard(livekit, self._store),
            clock,
            randomness,
            AttemptTimes(settings.late_webhooks, settings.late_webhooks_look),
        )
        steward = Steward(
            Dispatcher(looker, attempts, self._pacing, clock, randomness),
            Aftercare(looker, attempts, clock),
            PulseKeeper(
                asker,
                looker,
                clock,
                randomness,
                PulseTimes(settings.pulse_period, settings.pulse_silences, settings.pulse_patience),
            ),
            Alarm(self._outbox, clock, Links(settings.base_url).session),
            self._tasks,
            clock,
        )
        parts = OwnerParts(self._store, clock, self._route, Observation(self._metrics), self.name)
        times = LeaseTimes(settings.lease_ttl, settings.lease_renewal, settings.lease_fence)
        return Ownership(parts, ReplicaLeases(self._connection, self._keys), steward, self._tasks, clock, times)

    def _build_livekit(self, *, listings: Purpose = Purpose.LOOK, questions: Purpose = Purpose.LOOK) -> LiveKit:
        """From the outside in: counted against the budget, fenced (a call may have waited for its turn), measured, sent."""
        measured = MeasuredLiveKit(self._api, self._metrics, self._clock)
        return Budget(FencedLiveKit(measured, self._fenced), self._allowance, listings=listings, questions=questions)

    def _fenced(self) -> bool:
        return self._ownership.fenced()

    def _build_web(self) -> web.AppRunner:
        settings = self._settings
        door = webhooks.WebhookDoor(
            settings.webhook_secrets(),
            self._intake,
            self._clock,
            webhooks.WebhookLimits(
                body_bytes=settings.webhook_body_limit,
                body_seconds=settings.webhook_body_timeout,
                token_lifetime=settings.webhook_token_lifetime,
                token_leeway=settings.webhook_leeway,
            ),
            self._count_webhook,
        )
        app = build_app(
            webhook=door.post,
            sessions=Sessions(self._store, self._clock, self._links),
            readiness=self._readiness,
            metrics=make_aiohttp_handler(self._metrics.registry),
            bearers=Bearers(settings.api_tokens, dev=settings.dev),
            version=version("rollcall"),
        )
        return build_runner(app)

    def _route(self, room: str, metadata: str) -> Routed:
        return self._settings.compiled_routes.route(room, metadata).routed

    async def start(self) -> None:
        """Listen at once, so that LiveKit gets a 503 and comes again, and drive sessions as soon as the store is there."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()
        self._tasks.spawn("begin", self._begin())
        log.info(
            "listening",
            replica=self.name,
            host=self._settings.host,
            port=self._settings.port,
            livekit=self._settings.livekit_url,
            agents=len(self._settings.agents),
            routes=len(self._settings.routes),
        )

    async def _begin(self) -> None:
        while True:
            try:
                await self._read_clock()
                await self._ownership.start()
            except StoreUnavailable as error:
                log.warning("store_unavailable", error=str(error))
                await self._clock.sleep(_STORE_RETRY)
            else:
                break
        self._tasks.spawn("clock", self._keep_time())
        self._tasks.spawn("lease", self._ownership.keep_lease())
        self._tasks.spawn("takeover", self._ownership.take_over())
        self._tasks.spawn("wakes", self._wakes.run())
        self._tasks.spawn("deliveries", self._deliveries.run())
        self._tasks.spawn("watch-loop", watch_loop(self._metrics, self._clock))
        self._tasks.spawn("watch-store", watch_store(self._slots, self._outbox, self._metrics, self._clock))
        self._readiness.configuration_loaded()
        log.info("ready", replica=self.name)

    async def stop(self) -> None:
        """Not ready first; then hand the sessions over, stop listening, and end what runs."""
        self._readiness.drain()
        await self._ownership.stop()
        await self._runner.cleanup()
        await self._tasks.cancel()
        await self._alert_http.close()
        await self._api.close()
        await self._connection.close()
        log.info("stopped", replica=self.name)

    async def _read_clock(self) -> None:
        asked_at = self._clock.monotonic()
        self._clock.learn(await self._store.now(), asked_at=asked_at)

    async def _keep_time(self) -> None:
        while True:
            await self._clock.sleep(_CLOCK_PERIOD)
            try:
                await self._read_clock()
            except StoreUnavailable:
                continue  # the monotonic clock carries the store's time on
