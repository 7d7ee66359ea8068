"""The parts of a runbook's section, in the order in which somebody who was woken needs them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Runbook:
    callers: str
    """What it means for people who are calling."""
    look: tuple[str, ...]
    """Commands that show it."""
    check: tuple[str, ...]
    """What to check, in this order."""
    mend: str
    over: str
    """How to know that it is over."""
    escalate: str
    """When to wake whom else."""
