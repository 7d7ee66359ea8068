"""An operator's pause: of one agent name nobody is dispatched for a while.

It is no failure of the agent: whoever waits for it is shown as waiting for that, the deadline stands still, and a round that
was under way begins anew when the pause is over. What is in a room stays, and what was called before goes on.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pause:
    """Times are Unix seconds of the store's clock."""

    since: float
    until: float | None = None
    """None: until somebody ends it."""
    by: str = ""
    """Whoever asked for it, by name where it is known, otherwise by scope."""
    reason: str = ""

    def holds(self, now: float) -> bool:
        return self.until is None or now < self.until
