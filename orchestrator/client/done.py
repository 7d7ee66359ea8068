"""What all commands that do something have in common."""

import sys
import uuid
from collections.abc import Callable
from typing import TypeVar

import typer
from rich.text import Text

from orchestrator.client.answers import read
from orchestrator.client.errors import CommandFailed
from orchestrator.client.printing import show, show_json
from orchestrator.client.text import printable
from orchestrator.exits import ExitCode

T = TypeVar("T")


def shown(body: bytes, as_json: bool, kind: type[T], sentence: Callable[[T], str]) -> None:  # noqa: FBT001
    if as_json:
        show_json(body)
    else:
        show(Text(sentence(read(kind, body))))


def once() -> dict[str, str]:
    """A proxy that repeats a request does nothing twice."""
    return {"Idempotency-Key": uuid.uuid4().hex}


def confirm(question: str, *, yes: bool) -> None:
    """Raises CommandFailed when nobody can be asked, or says no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandFailed(ExitCode.USAGE, f"{printable(question)}? Nobody can be asked here.", "Say --yes.")
    if not typer.confirm(f"{printable(question)}?", err=True):
        raise CommandFailed(ExitCode.FAILED, "Nothing was done.")
