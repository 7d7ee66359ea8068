"""What happened, line by line: for the reader of a failure, and to see that one seed gives one story."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    at: float
    who: str
    room: str
    """Empty: it concerns no room, or all."""
    what: str

    def __str__(self) -> str:
        return f"{self.at:9.3f}  {self.who:<9} {self.room:<10} {self.what}"


class Trace:
    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self.lines: list[Line] = []

    def note(self, who: str, room: str, what: str) -> None:
        self.lines.append(Line(self._time(), who, room, what))

    def text(self) -> str:
        return "\n".join(map(str, self.lines))

    def history(self, room: str | None) -> str:
        """What concerns this room, and what concerns all."""
        return "\n".join(str(line) for line in self.lines if not room or line.room in (room, ""))
