"""A model of the store that passes the store's own contract tests: what the scripts do, in dictionaries.

A `Server` is shared; each replica has its `Line` to it, and the ports of the runtime on that line.
"""

from tests.fakes.store.audit import MemoryAudit
from tests.fakes.store.canaries import MemoryCanaries
from tests.fakes.store.changes import MemoryChanges
from tests.fakes.store.fleet import MemoryWorkers
from tests.fakes.store.leases import MemoryLeases
from tests.fakes.store.logins import MemoryLogins
from tests.fakes.store.outbox import MemoryAlerts
from tests.fakes.store.pauses import MemoryPauses
from tests.fakes.store.received import MemoryReceived
from tests.fakes.store.server import Line, Server, Subscriber
from tests.fakes.store.sessions import MemoryStore
from tests.fakes.store.shared import MemoryHearing, MemoryIncidents, MemoryRounds, MemoryShares
from tests.fakes.store.slots import MemorySlots

__all__ = [
    "Line",
    "MemoryAlerts",
    "MemoryAudit",
    "MemoryCanaries",
    "MemoryChanges",
    "MemoryHearing",
    "MemoryIncidents",
    "MemoryLeases",
    "MemoryLogins",
    "MemoryPauses",
    "MemoryReceived",
    "MemoryRounds",
    "MemoryShares",
    "MemorySlots",
    "MemoryStore",
    "MemoryWorkers",
    "Server",
    "Subscriber",
]
