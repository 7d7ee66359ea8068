"""What the orchestrator and a worker agree on: the names that travel between them, and nothing else.

The worker package imports this module and no other of the orchestrator's; it therefore imports nothing itself.
"""

from typing import Final

RESERVED_KEY: Final = "rollcall"
"""The one key of the job metadata's JSON object that is ours.

It holds session, placement, attempt, attempt_id; resumes when the agent resumes another one's work, and traceparent when
there are traces.
"""

TRACEPARENT: Final = "traceparent"
"""In the reserved object: the attempt's span as W3C Trace Context writes it, for the worker's spans to join."""

SESSION_ATTRIBUTE: Final = "rollcall.session"
PLACEMENT_ATTRIBUTE: Final = "rollcall.placement"
ATTEMPT_ATTRIBUTE: Final = "rollcall.attempt"
ATTEMPT_ID_ATTRIBUTE: Final = "rollcall.attempt_id"
"""The four parts of our key, as attributes of the dispatch (servers from 1.13.2) and of an agent that reports them."""

DONE_ATTRIBUTE: Final = "rollcall.done"
"""Set to anything but the empty string by an agent whose work is finished: its leaving is no loss."""

READY_ATTRIBUTE: Final = "rollcall.ready"
"""Set to anything but the empty string by an agent that can serve: proof level `ready`."""

WARNING_ATTRIBUTE: Final = "rollcall.warning"
"""Set by an agent to a sentence that on-call must see: it serves, but not as it was meant to."""

AGENT_STATE_ATTRIBUTE: Final = "lk.agent.state"
"""Set by livekit-agents once a session runs: initializing, idle, listening, thinking or speaking."""

AGENT_NAME_ATTRIBUTES: Final = ("lk.agent_name", "lk.agent.name")
"""Set by livekit-server from 1.9.2, and by livekit-agents: the name under which the agent's worker registered."""

INSTEAD_OF: Final = "instead_of"
"""In the reserved object: the agent_name and identity of the agent that this one takes over from, and lets finish first."""

ANNOUNCE_PERIOD: Final = 5.0
"""Seconds between two announcements of a worker to the orchestrator."""

ANNOUNCED_FOR: Final = 15.0
"""Seconds for which an announcement stands: two may be lost."""

PULSE_METHOD: Final = "rollcall.pulse"
"""The RPC method with which an agent is asked whether it still answers. Not knowing it is an answer, too."""

SCRATCH_PREFIX: Final = "rollcall-scratch-"
"""How the names of rooms begin in which something is tried out for a moment: no route wants an agent in them."""
