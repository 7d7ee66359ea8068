"""Which cores a process runs on. Where the system lets nobody choose (macOS), everything runs everywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


def keep_to(cores: set[int]) -> None:
    """This process, and those that it starts from now on, run on these cores only."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


@contextmanager
def one_core_left_free() -> Iterator[int]:
    """Keep to all cores but one, and tell which that is. With one core alone there is nothing to leave."""
    if not hasattr(os, "sched_getaffinity"):
        yield 0
        return
    cores = os.sched_getaffinity(0)
    free = max(cores)
    keep_to(cores - {free} or cores)
    try:
        yield free
    finally:
        keep_to(cores)
