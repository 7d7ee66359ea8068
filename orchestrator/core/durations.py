"""Durations as people say them."""

from typing import Final

MINUTE: Final = 60
"""Seconds."""

_HOUR: Final = 3600
_EXACT_BELOW: Final = 10
"""Seconds below which hundredths are of interest."""


def spoken(seconds: float) -> str:
    """A duration as people say it: 0.31 s, 12.3 s, 3 min 2 s, 2 h 5 min."""
    seconds = max(seconds, 0.0)
    if seconds < _EXACT_BELOW:
        return f"{seconds:.2f} s"
    if round(seconds, 1) < MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // MINUTE} min"
