"""One limit of time for many waits, at the price of one timer.

asyncio.timeout sets and cancels a timer for each wait, which is a tenth of all that a webhook costs. The waits of one
limit are equally long, so the oldest is always the next to run out, and one timer that looks at it serves them all.
"""

import asyncio
from types import TracebackType


class TimeLimit:
    """`with limit.wait():` raises TimeoutError when its body takes longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waits: dict[Wait, None] = {}
        """The oldest first."""
        self._timer: asyncio.TimerHandle | None = None

    def wait(self) -> "Wait":
        return Wait(self)

    def begin(self, wait: "Wait") -> float:
        """Take a wait into account; when it runs out, by the loop's time."""
        loop = asyncio.get_running_loop()
        runs_out_at = loop.time() + self._seconds
        self._waits[wait] = None
        if self._timer is None:
            self._timer = loop.call_at(runs_out_at, self._look)
        return runs_out_at

    def end(self, wait: "Wait") -> None:
        self._waits.pop(wait, None)

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._waits:
            oldest = next(iter(self._waits))
            if oldest.runs_out_at > loop.time():
                self._timer = loop.call_at(oldest.runs_out_at, self._look)
                return
            del self._waits[oldest]
            oldest.interrupt()


class Wait:
    """One wait of the current task. It tells its own interruption from somebody else's as asyncio.timeout does."""

    __slots__ = ("_cancelling", "_interrupted", "_limit", "_task", "runs_out_at")

    def __init__(self, limit: TimeLimit) -> None:
        self._limit = limit
        self._interrupted = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be interrupted")
        self._task = task
        self._cancelling = task.cancelling()
        self.runs_out_at = self._limit.begin(self)

    def interrupt(self) -> None:
        self._interrupted = True
        self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._limit.end(self)
        if self._interrupted and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
