"""An event loop without a world: time jumps to the next timer, and nothing but its own callbacks ever happens.

Callbacks belong to the process in whose context they were made. So a whole process can be stopped between any two of its
steps, go on later, or be gone for ever without another line of it being executed: what SIGSTOP, SIGCONT and SIGKILL do.
"""

import asyncio
import contextvars
import heapq
import itertools
import time
from collections import deque
from collections.abc import Coroutine
from contextvars import Context, ContextVar
from typing import Any, Final, TypeVar

T = TypeVar("T")

_EMPTY_LOOP: Final = "nothing is left that could ever happen"


class Stuck(Exception):
    """The simulation does not end by itself: too many steps, too much real time, or nothing left to wait for."""


class Process:
    """Callbacks that live and die together. `context` is where they are made."""

    def __init__(self, loop: "SimulatedLoop", name: str) -> None:
        self.name = name
        self.alive = True
        self.paused = False
        self.context: Context = contextvars.copy_context()
        self.context.run(_PROCESS.set, self)
        self._loop = loop
        self._parked: list[asyncio.Handle] = []
        self._connections: dict[asyncio.Future[Any], Any] = {}
        self._tasks: list[asyncio.Task[Any]] = []

    def __repr__(self) -> str:
        return f"Process({self.name})"

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        """What became due meanwhile is executed now, in the order in which it became due."""
        self.paused = False
        parked, self._parked = self._parked, []
        self._loop.make_ready(parked)

    def kill(self) -> None:
        """Not another line of it is executed: no cancellation, no `finally`."""
        self.alive = False
        self._parked.clear()
        connections, self._connections = self._connections, {}
        for answer, refused in connections.items():
            if not answer.done():
                answer.set_result(refused)

    def connect(self, answer: asyncio.Future[T], refused: T) -> None:
        """Somebody outside waits for an answer of this process; when it dies, the answer is `refused`."""
        self._connections[answer] = refused
        answer.add_done_callback(lambda answer: self._connections.pop(answer, None))

    def park(self, handle: asyncio.Handle) -> None:
        self._parked.append(handle)

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = self._loop.create_task(work, name=name, context=self.context)
        self._tasks.append(task)  # what died is kept: nothing of it may happen when memory is tidied up
        return task


_PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


def current_process() -> Process | None:
    """In whose name the running callback was made; None: the world's."""
    return _PROCESS.get()


class _Task(asyncio.Task[Any]):
    """A task whose place in a set does not depend on where in memory it lies."""

    def __init__(self, work: Coroutine[Any, Any, Any], *, loop: "SimulatedLoop", **kwargs: Any) -> None:
        self._number = next(loop.task_numbers)
        super().__init__(work, loop=loop, **kwargs)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class SimulatedLoop(asyncio.BaseEventLoop):
    """Raises Stuck out of run_until_complete when it would run for ever."""

    def __init__(self, *, most_steps: int = 3_000_000, most_seconds: float = 60.0) -> None:
        super().__init__()
        self.task_numbers = itertools.count()
        self.set_task_factory(lambda loop, work, **kwargs: _Task(work, loop=loop, **kwargs))
        self.steps = 0
        self._now = 0.0
        self._failure: Exception | None = None
        self._most_steps = most_steps
        self._most_seconds = most_seconds
        self._begun = time.monotonic()
        self._ready: deque[asyncio.Handle]
        self._scheduled: list[asyncio.TimerHandle]

    def time(self) -> float:
        return self._now

    def fail(self, error: Exception) -> None:
        """Let the whole run end with this, as soon as the present step is over; the first one counts."""
        self._failure = self._failure or error

    def make_ready(self, handles: list[asyncio.Handle]) -> None:
        self._ready.extend(handles)

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled
        if not ready:
            self._jump()
        while scheduled and scheduled[0]._when <= self._now:  # type: ignore[attr-defined]
            timer = heapq.heappop(scheduled)
            timer._scheduled = False  # type: ignore[attr-defined]
            ready.append(timer)
        for _ in range(len(ready)):
            self._execute(ready.popleft())
            if self._failure is not None:
                raise self._failure
        if self.steps > self._most_steps:
            raise Stuck(f"{self.steps} steps, and the simulated time is {self._now:.3f} s")

    def _jump(self) -> None:
        scheduled = self._scheduled
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False  # type: ignore[attr-defined]
        if not scheduled:
            raise Stuck(_EMPTY_LOOP)
        self._now = max(self._now, scheduled[0]._when)  # type: ignore[attr-defined]
        if time.monotonic() - self._begun > self._most_seconds:
            raise Stuck(f"{self._most_seconds:g} s of real time, and the simulated time is {self._now:.3f} s")

    def _execute(self, handle: asyncio.Handle) -> None:
        if handle._cancelled:
            return
        process: Process | None = handle._context.get(_PROCESS)  # type: ignore[attr-defined]
        if process is None or (process.alive and not process.paused):
            self.steps += 1
            handle._run()
        elif process.alive:
            process.park(handle)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An exception in a callback is a defect; one that nobody waits for any more is the fate of a killed process."""
        if "handle" in context:
            self.fail(context["exception"])

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer stays in line until it is due."""

    def _process_events(self, event_list: object) -> None:
        """There is no world from which events could come."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""


def bury(loop: SimulatedLoop) -> None:
    """Close the loop, and without a word all that still waits in it."""
    for task in sorted(asyncio.all_tasks(loop), key=hash):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        work = task.get_coro()
        try:
            if work is not None:
                work.close()
        except (RuntimeError, ValueError):
            pass  # it waited for something in a `finally`: nothing there is of any consequence now
    loop.close()
