"""The errors into which the adapters translate."""

from orchestrator.core.causes import Cause


class RollcallError(Exception):
    """The root of our errors."""


class StoreUnavailable(RollcallError):
    """Temporary: Redis did not answer, is loading, out of memory, read-only. Nothing is known of what it executed."""


class StoreCorrupt(RollcallError):
    """Permanent: a stored record cannot be read by this version."""


class LiveKitError(RollcallError):
    """A call to LiveKit's API failed; `cause` is the one that an attempt or a look gets from it."""

    cause: Cause = Cause.LIVEKIT_UNAVAILABLE


class LiveKitUnavailable(LiveKitError):
    """Temporary: no answer, a 5xx, a 429, or an answer that is none. The call may have been executed."""


class LiveKitRejectedCredentials(LiveKitError):
    """Permanent until somebody acts: 401 or 403."""

    cause = Cause.LIVEKIT_REJECTED_CREDENTIALS


class LiveKitRejectedRequest(LiveKitError):
    """Permanent: LiveKit called the request invalid."""

    cause = Cause.LIVEKIT_REJECTED_REQUEST


class NotFound(LiveKitError):
    """What was to be changed does not exist (any more)."""
