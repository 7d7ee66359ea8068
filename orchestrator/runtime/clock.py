"""Real time and real randomness, behind the ports that tests replace."""

import asyncio
import random
import secrets
import time
from typing import Final

STEP: Final = 1.0
"""Seconds. Less than this behind ours, the store's time is the same clock, and its answer only travelled longer."""


class StoreClock:
    """The store's time, carried on by the monotonic clock between two answers of the store.

    Deadlines are stored, and outlive the replica that set them: so they run in the time of the store that all replicas
    share, and a wrong or corrected clock of this machine moves none of them. Until the store has answered for the first
    time, this machine's clock stands in.

    `now` never runs backwards by less than STEP: it stands still until the store's time has caught up. When the store
    itself is that much behind (another Redis took over, somebody set its clock), it is followed at once: standing still
    for so long would stop every deadline.
    """

    def __init__(self) -> None:
        self._ahead = time.time() - time.monotonic()
        self._latest = time.time()

    def learn(self, store_time: float, *, asked_at: float) -> None:
        """Take the time that the store answered; `asked_at` is our monotonic time when it was asked.

        An answer that took STEP or more is ignored: it may have waited in a socket while this process was stopped, and
        how old it is cannot be known.
        """
        received_at = self.monotonic()
        if received_at - asked_at >= STEP:
            return
        self._ahead = store_time - received_at
        if self._latest - store_time >= STEP:
            self._latest = store_time

    def now(self) -> float:
        """To the millisecond, as the store's own times are: records hold many of them."""
        self._latest = max(self._latest, self._ahead + self.monotonic())
        return round(self._latest, 3)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SystemRandomness:
    def fraction(self) -> float:
        return random.random()  # noqa: S311  # spreads waits; nothing is to be kept secret

    def attempt_id(self) -> str:
        """Beside the session's sid and the attempt's number 64 bits are plenty; each record holds it."""
        return secrets.token_hex(8)
