"""The canaries of one replica, put together: who sends them, when, and who keeps their rooms closed."""

from orchestrator.configuration.canaries import CanaryEntry, subject_of
from orchestrator.core.canary import Subject
from orchestrator.core.fleet import NameState
from orchestrator.observability.metrics import Metrics
from orchestrator.runtime.assembly import Runtime
from orchestrator.runtime.canaries import Canaries, CanaryParts
from orchestrator.runtime.canary_rounds import CanaryRounds
from orchestrator.runtime.clock import SystemRandomness
from orchestrator.runtime.ports import Clock, Slots
from orchestrator.runtime.sweeping import Sweeper
from orchestrator.runtime.tasks import Tasks
from orchestrator.runtime.trial import Trials
from orchestrator.settings import Settings
from orchestrator.store.canaries import BookedCanaries
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.leases import ReplicaLeases


class ReplicaCanaries:
    """Some are sent by hand, also where none are scheduled."""

    def __init__(
        self,
        replica: str,
        settings: Settings,
        runtime: Runtime,
        connection: Connection,
        keys: Keys,
        slots: Slots,
        clock: Clock,
        tasks: Tasks,
        metrics: Metrics,
    ) -> None:
        book, randomness = BookedCanaries(connection, keys), SystemRandomness()
        self._settings = settings
        self._runtime = runtime
        self._metrics = metrics
        self._tasks = tasks
        entry = settings.canary or CanaryEntry()
        self.scheduled = entry.scheduled(settings.agents) if settings.canary else ()
        livekit = runtime.spare_livekit()
        trials = Trials(livekit, clock, self._announced, pulse_timeout=settings.pulse_timeout, cloud=settings.cloud)
        self.sent = Canaries(
            CanaryParts(
                replica=replica,
                livekit=livekit,
                trials=trials,
                book=book,
                slots=slots,
                standing=runtime.standing,
                paused=runtime.pauses.paused,
                subject_of=self._subject_of,
                clock=clock,
                randomness=randomness,
                tasks=tasks,
                after=entry.after,
                on_result=metrics.count_canary,
            )
        )
        self._rounds = CanaryRounds(
            replica,
            self.sent,
            book,
            every=entry.every,
            agents=self.scheduled,
            may=self._may,
            clock=clock,
            randomness=randomness,
        )
        self._sweeper = Sweeper(replica, livekit, book, ReplicaLeases(connection, keys), clock)

    def start(self) -> None:
        self._metrics.expect_canaries(self.scheduled)
        self._rounds.start(self._tasks)
        self._tasks.spawn("sweeper", self._sweeper.run())

    async def stop(self) -> None:
        """Cut off what is under way; each deletes its room."""
        await self.sent.stop()

    def _subject_of(self, agent_name: str) -> Subject:
        settings = self._settings
        return subject_of(agent_name, settings.agents, settings.compiled_routes, settings.default_policy)

    def _announced(self, agent_name: str) -> NameState:
        return self._runtime.fleet.fleet.state(agent_name)

    def _may(self, agent_name: str) -> bool:
        return self._runtime.reaches_livekit and not self._runtime.pauses.paused(agent_name)
