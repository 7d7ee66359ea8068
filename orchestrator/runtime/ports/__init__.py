"""What the runtime needs from the outside, as Protocols, with the errors that the adapters translate into."""

from orchestrator.core.listing import ListedDispatch, ListedJob, ListedParticipant, ListedRoom
from orchestrator.core.reconciling import Held
from orchestrator.runtime.ports.canaries import (
    CanaryBook,
    CanaryCrowdedOut,
    CanaryCutOff,
    CanaryPaused,
    CanarySender,
    ScratchRoom,
)
from orchestrator.runtime.ports.errors import (
    LiveKitError,
    LiveKitRejectedCredentials,
    LiveKitRejectedRequest,
    LiveKitUnavailable,
    NotFound,
    RollcallError,
    StoreCorrupt,
    StoreUnavailable,
)
from orchestrator.runtime.ports.fleet import Announced, Workers
from orchestrator.runtime.ports.livekit import LiveKit, Pulse, PulseReply
from orchestrator.runtime.ports.minting import Entrant, Minter
from orchestrator.runtime.ports.paging import GroupLook, GroupMessage, GroupPages
from orchestrator.runtime.ports.pauses import Pauses
from orchestrator.runtime.ports.replicas import Hearing, Incidents, Leases, Rounds, Shares, SlotEnd, SlotReply, Slots
from orchestrator.runtime.ports.sessions import Appended, AppendReply, Committed, Delivered, Loaded, Page, SessionStore
from orchestrator.runtime.ports.surroundings import Alert, Alerts, Clock, Observer, Observers, Randomness

__all__ = [
    "Alert",
    "Alerts",
    "Announced",
    "AppendReply",
    "Appended",
    "CanaryBook",
    "CanaryCrowdedOut",
    "CanaryCutOff",
    "CanaryPaused",
    "CanarySender",
    "Clock",
    "Committed",
    "Delivered",
    "Entrant",
    "GroupLook",
    "GroupMessage",
    "GroupPages",
    "Hearing",
    "Held",
    "Incidents",
    "Leases",
    "ListedDispatch",
    "ListedJob",
    "ListedParticipant",
    "ListedRoom",
    "LiveKit",
    "LiveKitError",
    "LiveKitRejectedCredentials",
    "LiveKitRejectedRequest",
    "LiveKitUnavailable",
    "Loaded",
    "Minter",
    "NotFound",
    "Observer",
    "Observers",
    "Page",
    "Pauses",
    "Pulse",
    "PulseReply",
    "Randomness",
    "RollcallError",
    "Rounds",
    "ScratchRoom",
    "SessionStore",
    "Shares",
    "SlotEnd",
    "SlotReply",
    "Slots",
    "StoreCorrupt",
    "StoreUnavailable",
    "Workers",
]
