"""What became of dispatches and webhooks: what a LiveKit knows and tells nobody."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Counted from the start, over all lives of the server; what waits in its queues when it is killed is nowhere here."""

    dispatches: int = 0
    """Dispatches of a named agent, however they were asked for."""
    dispatches_lost: int = 0
    """Those of them whose job no worker took."""
    webhooks: int = 0
    """Webhooks that a receiver accepted, copies included."""
    webhooks_lost: int = 0
    """Webhooks that none did: lost on the way, refused, or given up."""
