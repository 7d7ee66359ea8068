"""The runtime of one replica, put together from its ports: the same for the service, its tests and the simulation."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from orchestrator.core.reconciling import Round
from orchestrator.core.session import Session
from orchestrator.runtime.aftercare import Aftercare
from orchestrator.runtime.alarm import Alarm
from orchestrator.runtime.answering import Answering
from orchestrator.runtime.asking import Asker
from orchestrator.runtime.attempt import AttemptRunner, AttemptTimes, Traceparent, untold
from orchestrator.runtime.budget import Allowance, Budget, Purpose
from orchestrator.runtime.continuity import Continuity
from orchestrator.runtime.credentials import CredentialGate, GatedLiveKit
from orchestrator.runtime.dispatcher import Dispatcher
from orchestrator.runtime.ear import Ear
from orchestrator.runtime.fencing import FencedLiveKit
from orchestrator.runtime.fleet import FleetView
from orchestrator.runtime.ghosts import GhostGuard
from orchestrator.runtime.intake import Intake
from orchestrator.runtime.looking import Looker
from orchestrator.runtime.owner import OwnerParts, Route
from orchestrator.runtime.ownership import LeaseTimes, Ownership
from orchestrator.runtime.pacing import Pacing
from orchestrator.runtime.pauses import PauseBoard
from orchestrator.runtime.ports import (
    Alerts,
    Clock,
    Hearing,
    Incidents,
    Leases,
    LiveKit,
    Observer,
    Observers,
    Pauses,
    Randomness,
    Rounds,
    SessionStore,
    Shares,
    Slots,
    Workers,
)
from orchestrator.runtime.pulse import PulseKeeper, PulseTimes
from orchestrator.runtime.reconciler import Reconciler, ReconcilerTimes
from orchestrator.runtime.rooms import Rooms
from orchestrator.runtime.shares import ShareKeeper
from orchestrator.runtime.standing import Standing
from orchestrator.runtime.steward import Steward
from orchestrator.runtime.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside: the store in its several parts, LiveKit's API as it is called, people, time and chance."""

    store: SessionStore
    slots: Slots
    leases: Leases
    rounds: Rounds
    hearing: Hearing
    shares: Shares
    workers: Workers
    pauses: Pauses
    incidents: Incidents
    alerts: Alerts
    livekit: LiveKit
    clock: Clock
    randomness: Randomness
    observer: Observer


@dataclass(frozen=True, slots=True)
class Times:
    """How long and how often, of every part. Seconds."""

    pulse_timeout: float = 1.5
    pulse: PulseTimes = field(default_factory=PulseTimes)
    attempt: AttemptTimes = field(default_factory=AttemptTimes)
    lease: LeaseTimes = field(default_factory=LeaseTimes)
    reconciler: ReconcilerTimes = field(default_factory=ReconcilerTimes)


class Runtime:
    """Everything that runs between the ports."""

    def __init__(
        self,
        replica: str,
        ports: Ports,
        times: Times,
        *,
        route: Route,
        tasks: Tasks,
        allowance: Allowance,
        configured: Collection[str] = (),
        link: Callable[[Session], str | None] = lambda _: None,
        on_round: Callable[[Round], None] = lambda _: None,
        traceparent: Traceparent = untold,
    ) -> None:
        self._replica = replica
        self._ports = ports
        self._tasks = tasks
        self._allowance = allowance
        clock, randomness = ports.clock, ports.randomness
        standing = self.standing = Standing(ports.incidents, ports.alerts, clock)
        self.pacing = Pacing(ports.slots, clock)
        self.pauses = PauseBoard(ports.pauses, clock)
        self.fleet = FleetView(replica, ports.workers, ports.slots, clock, configured, self._driven)
        self._gate = CredentialGate(Budget(ports.livekit, allowance), standing, clock, on_open=self._nudge)
        # Not fenced: a room is nobody's in particular, and whoever has asked for it waits for the answer.
        self.rooms = Rooms(Budget(GatedLiveKit(ports.livekit, self._gate), allowance))
        livekit = self._livekit()
        asker = Asker(self._livekit(questions=Purpose.PULSE), livekit, times.pulse_timeout)
        looker = Looker(livekit, asker, clock)
        unhurried = Looker(self._livekit(listings=Purpose.RECONCILE), asker, clock)
        ghosts = GhostGuard(livekit, ports.store)
        attempts = AttemptRunner(
            livekit, looker, self.pacing, ghosts, self.fleet, clock, randomness, times.attempt, traceparent
        )
        self.pulse = PulseKeeper(asker, looker, clock, randomness, times.pulse)
        steward = Steward(
            Dispatcher(looker, attempts, self.pacing, self._gate, self.fleet, self.pauses, clock, randomness),
            Aftercare(looker, unhurried, asker, attempts, clock),
            self.pulse,
            Alarm(ports.alerts, clock, link),
            tasks,
            clock,
        )
        parts = OwnerParts(ports.store, clock, route, Observers((ports.observer, self.fleet)), replica)
        self.ownership: Ownership = Ownership(parts, ports.leases, steward, tasks, clock, times.lease)
        self._ear = Ear(ports.hearing, clock)
        self.intake = Intake(ports.store, replica, self.ownership.wake, on_heard=self._ear.heard)
        self._reconciler = Reconciler(
            replica=replica,
            livekit=self._livekit(listings=Purpose.RECONCILE),
            asker=asker,
            store=ports.store,
            rounds=ports.rounds,
            leases=ports.leases,
            hearing=ports.hearing,
            intake=self.intake,
            standing=standing,
            claim=self.ownership.claim,
            clock=clock,
            randomness=randomness,
            times=times.reconciler,
            on_round=on_round,
        )
        self.share = ShareKeeper(replica, allowance, ports.shares, ports.leases, clock)
        self._continuity = Continuity(ports.store, clock, self._begin_anew)

    @property
    def answering(self) -> Answering:
        """Whether LiveKit answers this replica."""
        return self._gate.answering

    @property
    def reaches_livekit(self) -> bool:
        """Whether LiveKit answers this replica, and takes its key, as far as the last calls tell."""
        return self._gate.open and self._gate.answering.failing_since is None

    def spare_livekit(self) -> LiveKit:
        """For what nobody waits for. Not fenced: what it makes belongs to no session."""
        gated = GatedLiveKit(self._ports.livekit, self._gate)
        spare = Purpose.CANARY
        return Budget(gated, self._allowance, listings=spare, questions=spare, making=spare)

    def _livekit(self, *, listings: Purpose = Purpose.LOOK, questions: Purpose = Purpose.LOOK) -> LiveKit:
        """From the outside in: counted against the budget, fenced (a call may have waited for its turn), gated, sent."""
        gated = GatedLiveKit(self._ports.livekit, self._gate)
        fenced = FencedLiveKit(gated, self._fenced)
        return Budget(fenced, self._allowance, listings=listings, questions=questions)

    def _fenced(self) -> bool:
        return self.ownership.fenced()

    def _driven(self) -> tuple[Session, ...]:
        return self.ownership.sessions()

    def _nudge(self) -> None:
        self.ownership.nudge_all()

    def _begin_anew(self) -> None:
        self.ownership.doubt_all()
        self._reconciler.look_at_everything()

    async def start(self) -> None:
        """Take the lease, then drive what there is to drive. Raises StoreUnavailable, and can then be called again."""
        await self.pauses.look()  # before anything is dispatched
        await self.ownership.start()
        self._tasks.spawn("pauses", self.pauses.run())
        self._tasks.spawn("lease", self.ownership.keep_lease())
        self._tasks.spawn("takeover", self.ownership.take_over())
        self._tasks.spawn("continuity", self._continuity.run())
        self._tasks.spawn("ear", self._ear.run())
        self._tasks.spawn("gate", self._gate.run())
        self._tasks.spawn("share", self.share.run())
        self._tasks.spawn("fleet", self.fleet.run())
        self._tasks.spawn("reconciler", self._reconciler.run())

    async def stop(self) -> None:
        """Hand everything over; what is under way stays in the record, as it is."""
        await self.ownership.stop()
