"""What happened: everything that LiveKit told us, and everything that we did, as one closed set of records.

Times are Unix seconds. `created_at` is LiveKit's own time of an event, with a resolution of one second; it is shown and
measures lag, and never orders events. The time at which a fact was stored comes with its delivery, not with the fact.
"""

from orchestrator.core.facts.done import (
    AgentReplaced,
    AgentRetired,
    AlertQueued,
    AttemptEnded,
    Awaited,
    DispatchAccepted,
    DispatchAdopted,
    DispatchDeleted,
    DispatchRecovered,
    DispatchRequested,
    FallbackChosen,
    ForeignAgentServes,
    GaveUp,
    PauseOver,
    StrangerSeen,
    Waiting,
)
from orchestrator.core.facts.heard import (
    AgentAborted,
    AgentJoined,
    AgentLeft,
    AgentReady,
    AgentSilent,
    AgentWarned,
    JobChanged,
    PeopleCounted,
    PersonJoined,
    PersonLeft,
    PulseAnswered,
    PulseUnsupported,
    RoomFinished,
    RoomListed,
    RoomOpened,
    RoomStarted,
)
from orchestrator.core.facts.wished import (
    AgentDismissed,
    AgentWanted,
    CandidateSpec,
    IncidentTaken,
    PlacementSpec,
    RoundWanted,
    Routed,
    SessionCancelled,
    TraceJoined,
    Warned,
)
from orchestrator.core.facts.words import (
    JobStatus,
    LeaveReason,
    Source,
)

Fact = (
    RoomOpened
    | RoomStarted
    | RoomListed
    | RoomFinished
    | PersonJoined
    | PersonLeft
    | PeopleCounted
    | AgentJoined
    | AgentLeft
    | AgentReady
    | AgentWarned
    | AgentAborted
    | JobChanged
    | PulseAnswered
    | PulseUnsupported
    | AgentSilent
    | Routed
    | AgentWanted
    | AgentDismissed
    | RoundWanted
    | SessionCancelled
    | IncidentTaken
    | TraceJoined
    | Warned
    | Waiting
    | PauseOver
    | DispatchAdopted
    | DispatchRecovered
    | DispatchRequested
    | DispatchAccepted
    | DispatchDeleted
    | AttemptEnded
    | FallbackChosen
    | GaveUp
    | AgentRetired
    | AgentReplaced
    | ForeignAgentServes
    | StrangerSeen
    | AlertQueued
)

__all__ = [
    "AgentAborted",
    "AgentDismissed",
    "AgentJoined",
    "AgentLeft",
    "AgentReady",
    "AgentReplaced",
    "AgentRetired",
    "AgentSilent",
    "AgentWanted",
    "AgentWarned",
    "AlertQueued",
    "AttemptEnded",
    "Awaited",
    "CandidateSpec",
    "DispatchAccepted",
    "DispatchAdopted",
    "DispatchDeleted",
    "DispatchRecovered",
    "DispatchRequested",
    "Fact",
    "FallbackChosen",
    "ForeignAgentServes",
    "GaveUp",
    "IncidentTaken",
    "JobChanged",
    "JobStatus",
    "LeaveReason",
    "PauseOver",
    "PeopleCounted",
    "PersonJoined",
    "PersonLeft",
    "PlacementSpec",
    "PulseAnswered",
    "PulseUnsupported",
    "RoomFinished",
    "RoomListed",
    "RoomOpened",
    "RoomStarted",
    "RoundWanted",
    "Routed",
    "SessionCancelled",
    "Source",
    "StrangerSeen",
    "TraceJoined",
    "Waiting",
    "Warned",
]
