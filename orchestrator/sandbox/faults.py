"""What can go wrong, as probabilities and switches that may be replaced while the sandbox runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities lie in 0..1 and are drawn per call, job or webhook; without any, the sandbox is a LiveKit on a good day."""

    # dispatches
    drop_dispatch: float = 0.0
    """CreateDispatch answers 200 and the job is lost."""
    late_joiners: float = 0.0
    """The job misses the server's RPC by a hair: it is never listed, and its agent joins all the same, later."""

    # webhooks
    lose_webhooks: float = 0.0
    duplicate_webhooks: int = 0
    """So many copies of each, beside the event itself."""
    shuffle_webhooks: float = 0.0
    """Each is up to so many seconds late, on its own: out of order."""
    webhooks_blocked: bool = False
    """All are lost: a wrong URL, a filter, a firewall."""

    # the API
    api_error: float = 0.0
    """429, 500 or 503 instead of executing the call."""
    api_hang: float = 0.0
    """Neither executed nor answered before the caller loses patience."""
    lost_reply: float = 0.0
    """Executed, and never answered."""
    slow_api: float = 0.0
    """Seconds by which each call is executed later."""
    rejects_credentials: bool = False
    """401 with an empty body to everything."""
    empty_listing: float = 0.0
    """200 and empty, by mistake."""
    partial_listing: float = 0.0
    """200 and about half of it."""

    # PerformRpc
    no_perform_rpc: bool = False
    """A server of a version that does not know it."""
    pulse_unavailable: bool = False
    """503 to every one, as if nobody were there."""
    pulse_slow: float = 0.0
    """Seconds by which each answer is later."""
