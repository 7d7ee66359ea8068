"""What the demo prints: plain lines, with colour only where a terminal shows it."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console

from deploy.demo.failure import DemoFailed
from deploy.demo.story import Line, Tone

_STYLES: Final = {Tone.PLAIN: "", Tone.GOOD: "bold green", Tone.BAD: "bold red"}


class Screen:
    """Standard output, and standard error for what went wrong."""

    def __init__(self) -> None:
        # Names and ids are text, never markup, and are not broken at the eightieth column.
        self._out = Console(markup=False, highlight=False, soft_wrap=True)
        self._err = Console(markup=False, highlight=False, soft_wrap=True, stderr=True)

    def say(self, text: str, *, bold: bool = False) -> None:
        """One line, or several."""
        self._out.print(text, style="bold" if bold else None)

    def started(self, what: str, where: str) -> None:
        """A part of the demo that is there now."""
        self._out.print(f"  {what:<15} {where}")

    def tell(self, lines: Iterable[Line]) -> None:
        """What came to the session's timeline."""
        for line in lines:
            self._out.print(f"  {line.after:>+8.3f} s  ", style="dim", end="")
            self._out.print(f"{line.event:<13} {line.details}".rstrip(), style=_STYLES[line.tone])

    def complain(self, failed: DemoFailed) -> None:
        """Why the demo ends, below what the program in question said last."""
        if failed.last_words:
            self._err.print(failed.last_words, style="dim")
        self._err.print(f"demo: {failed}", style="red")
