"""Whether LiveKit answers this replica: told from ListRooms, which every node of it can answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.runtime.ports import Clock, LiveKitUnavailable


class Answering:
    """What came of the last calls. Calls about one room are not counted: their 503 may be about that room alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.answered_at: float | None = None
        self.failing_since: float | None = None
        """Since which call there has been no answer; None while there are answers, or nobody has called."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Around one call: also a refusal is an answer."""
        try:
            yield
        except LiveKitUnavailable:
            if self.failing_since is None:
                self.failing_since = self._clock.now()
            raise
        except Exception:  # whatever it says, LiveKit has answered; it is raised again
            self._answered()
            raise
        self._answered()

    def _answered(self) -> None:
        self.answered_at = self._clock.now()
        self.failing_since = None
