"""The composition root: the only module that knows every part, and in which order they start and stop.

Nothing here decides. What runs: the store's client, LiveKit's API, the runtime between them, the web in front.
"""

import socket
import uuid
from collections.abc import Iterable
from importlib.metadata import version
from typing import Final

import structlog

from orchestrator.alerts import ReplicaAlerts
from orchestrator.behind import Behind
from orchestrator.canaries import ReplicaCanaries
from orchestrator.core.facts import Routed
from orchestrator.core.fleet import NOTHING_KNOWN, Fleet
from orchestrator.core.routing import Routes
from orchestrator.core.scratch import SCRATCH_ROUTE, is_scratch
from orchestrator.front import Front
from orchestrator.livekit.api import LiveKitApi
from orchestrator.observability.measured_livekit import MeasuredLiveKit
from orchestrator.observability.measured_store import MeasuredStore
from orchestrator.observability.metrics import Metrics
from orchestrator.observability.observation import Observation
from orchestrator.observability.scraped import Scraped, show
from orchestrator.observability.tracing import traces_of
from orchestrator.observability.watching import watch_loop, watch_store
from orchestrator.runtime import vigil
from orchestrator.runtime.assembly import Ports, Runtime, Times
from orchestrator.runtime.attempt import AttemptTimes
from orchestrator.runtime.budget import Allowance
from orchestrator.runtime.clock import StoreClock, SystemRandomness
from orchestrator.runtime.ownership import LeaseTimes
from orchestrator.runtime.ports import Observers, StoreUnavailable
from orchestrator.runtime.pulse import PulseTimes
from orchestrator.runtime.reconciler import ReconcilerTimes
from orchestrator.runtime.tasks import Tasks
from orchestrator.runtime.vigil import Vigil
from orchestrator.settings import Settings
from orchestrator.store.connection import Connection
from orchestrator.store.fleet import AnnouncedWorkers, WorkerLimits
from orchestrator.store.hearing import WebhookHearing
from orchestrator.store.incidents import ServiceIncidents
from orchestrator.store.keys import Keys
from orchestrator.store.leases import ReplicaLeases
from orchestrator.store.pauses import PausedAgents
from orchestrator.store.rounds import ReconcileRounds
from orchestrator.store.sessions import Retention
from orchestrator.store.sessions import Sessions as StoredSessions
from orchestrator.store.shares import BudgetShares
from orchestrator.store.slots import PacedSlots, SlotLimits
from orchestrator.store.wake import Wakes
from orchestrator.web.health import Readiness
from orchestrator.web.links import Links

log = structlog.get_logger()

_STORE_RETRY: Final = 1.0
_CLOCK_PERIOD: Final = 5.0
"""Seconds between two readings of the store's clock."""

_LOOKS_SHARE: Final = 0.25
"""The part of the API budget with which the reconciler looks into rooms, two calls each."""


class Replica:
    """One running orchestrator."""

    def __init__(self, settings: Settings, redis_url: str) -> None:
        """Put the parts together; inside a running event loop. Nothing connects before `start`."""
        self.name = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self._settings = settings
        self._clock = StoreClock()
        self._metrics = Metrics(settings.agents, version("rollcall"))
        self._traces = traces_of(settings, self._metrics, self._clock, replica=self.name, version=version("rollcall"))
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
        self._slots = PacedSlots(
            self._connection,
            self._keys,
            SlotLimits(settings.slots_start, settings.slots_floor, settings.slots_ceiling),
        )
        self._alerts = ReplicaAlerts(settings, self._connection, self._keys, self._clock, self._metrics)
        self._incidents = ServiceIncidents(self._connection, self._keys)
        self._runtime = self._build_runtime()
        shared = self._connection, self._keys, self._slots
        self._canaries = ReplicaCanaries(self.name, settings, self._runtime, *shared, self._clock, self._tasks, self._metrics)
        self._vigil = Vigil(
            self.name, self._runtime.standing, self._incidents, self._clock, self._alerts.sinks.after, self._sights
        )
        self._ownership = self._runtime.ownership
        self._wakes = Wakes(
            self._connection,
            self._keys,
            self.name,
            on_session=self._ownership.wake,
            on_slots=self._runtime.pacing.freed,
            on_worker=self._runtime.fleet.arrived,
            on_reconnect=self._ownership.wake_all,
            sleep=self._clock.sleep,
        )
        self._readiness = Readiness(self._store, self._clock, self._alerts.deliveries.warnings)
        show(
            self._metrics,
            Scraped(
                sessions=self._ownership.sessions,
                fleet=lambda: self._runtime.fleet.fleet,
                lease=self._ownership,
                api_share=lambda: self._runtime.share.part,
                pulse_interval=lambda: self._runtime.pulse.interval,
            ),
        )
        self._front = Front(
            Behind(
                settings=settings,
                connection=self._connection,
                keys=self._keys,
                store=self._store,
                runtime=self._runtime,
                readiness=self._readiness,
                metrics=self._metrics,
                clock=self._clock,
                tasks=self._tasks,
                route=self._route,
                alerts=self._alerts,
                trace=self._traces.token,
                canaries=self._canaries.sent,
            )
        )

    async def _sights(self) -> Iterable[vigil.Sight]:
        routed_names = {name for route in self._settings.routes for entry in route.agents for name in entry.names}
        return (
            *vigil.livekit(self._runtime.answering, self._clock.now()),
            *vigil.breakers(await self._slots.counts(), self._settings.agents),
            *vigil.workers(self._runtime.fleet.fleet, routed_names),
            *vigil.canaries(self._canaries.scheduled),
            *vigil.sinks(self._alerts.deliveries, self._alerts.sinks.by_name),
        )

    def _build_runtime(self) -> Runtime:
        settings, connection, keys = self._settings, self._connection, self._keys
        ports = Ports(
            store=self._store,
            slots=self._slots,
            leases=ReplicaLeases(connection, keys),
            rounds=ReconcileRounds(connection, keys),
            hearing=WebhookHearing(connection, keys),
            shares=BudgetShares(connection, keys),
            workers=AnnouncedWorkers(connection, keys, WorkerLimits()),
            pauses=PausedAgents(connection, keys),
            incidents=self._incidents,
            alerts=self._alerts.outbox,
            livekit=MeasuredLiveKit(self._api, self._metrics, self._clock),
            clock=self._clock,
            randomness=SystemRandomness(),
            observer=Observers((Observation(self._metrics, self._traces.exemplar), self._traces)),
        )
        return Runtime(
            self.name,
            ports,
            _times(settings),
            route=self._route,
            tasks=self._tasks,
            allowance=self._allowance,
            configured=settings.agents,
            link=Links(settings.base_url).screen,
            on_round=self._metrics.observe_round,
            traceparent=self._traces.traceparent,
        )

    def _route(self, room: str, metadata: str) -> Routed:
        return routed(self._settings.compiled_routes, room, metadata, self._runtime.fleet.fleet)

    async def start(self) -> None:
        """Listen at once, so that LiveKit gets a 503 and comes again, and drive sessions as soon as the store is there."""
        await self._front.open()
        self._tasks.spawn("begin", self._begin())
        self._tasks.spawn("blackout", self._alerts.blackout(self._store.now).run())
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
                await self._runtime.start()
            except StoreUnavailable as error:
                log.warning("store_unavailable", error=str(error))
                await self._clock.sleep(_STORE_RETRY)
            else:
                break
        self._tasks.spawn("clock", self._keep_time())
        self._tasks.spawn("wakes", self._wakes.run())
        self._alerts.start(self._tasks)
        self._tasks.spawn("vigil", self._vigil.run())
        self._canaries.start()
        self._tasks.spawn("watch-loop", watch_loop(self._metrics, self._clock))
        self._tasks.spawn("watch-store", watch_store(self._slots, self._alerts.outbox, self._metrics, self._clock))
        self._readiness.configuration_loaded()
        log.info("ready", replica=self.name)

    async def stop(self) -> None:
        """Not ready first; then hand the sessions over, stop listening, and end what runs.

        Webhooks that still come are stored: whoever has taken over is woken by them.
        """
        self._readiness.drain()
        self._front.drain()
        await self._canaries.stop()
        await self._runtime.stop()
        await self._clock.sleep(self._settings.drain)
        await self._front.close()
        await self._tasks.cancel()
        await self._traces.close()
        await self._alerts.sinks.close()
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


def routed(routes: Routes, room: str, metadata: str, fleet: Fleet = NOTHING_KNOWN) -> Routed:
    """What the routes want in a room, as workers answer now; one in which something is tried out is none of theirs."""
    if is_scratch(room):
        return Routed((), SCRATCH_ROUTE)
    return routes.route(room, metadata, fleet).routed


def _times(settings: Settings) -> Times:
    return Times(
        pulse_timeout=settings.pulse_timeout,
        pulse=PulseTimes(settings.pulse_period, settings.pulse_silences, settings.pulse_patience),
        attempt=AttemptTimes(settings.late_webhooks, settings.late_webhooks_look),
        lease=LeaseTimes(settings.lease_ttl, settings.lease_renewal, settings.lease_fence),
        reconciler=ReconcilerTimes(
            period=settings.reconcile_period,
            jitter=settings.reconcile_jitter,
            looks=max(round(settings.api_budget * settings.reconcile_period * _LOOKS_SHARE / 2), 1),
            adopt=settings.adopt == "dispatch",
        ),
    )
