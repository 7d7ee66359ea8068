"""What of a replica stands behind its HTTP service."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.alerts import ReplicaAlerts
from orchestrator.core.facts import Routed
from orchestrator.observability.measured_store import MeasuredStore
from orchestrator.observability.metrics import Metrics
from orchestrator.runtime.assembly import Runtime
from orchestrator.runtime.canaries import Canaries
from orchestrator.runtime.ports import Clock
from orchestrator.runtime.tasks import Tasks
from orchestrator.settings import Settings
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.web.health import Readiness
from orchestrator.web.token_trace import Tracing


@dataclass(frozen=True, slots=True)
class Behind:
    """What of a replica its front needs."""

    settings: Settings
    connection: Connection
    keys: Keys
    store: MeasuredStore
    runtime: Runtime
    readiness: Readiness
    metrics: Metrics
    clock: Clock
    tasks: Tasks
    route: Callable[[str, str], Routed]
    alerts: ReplicaAlerts
    trace: Tracing
    """Of a request for a token."""
    canaries: Canaries
