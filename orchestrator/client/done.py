"""What all commands that do something have in common."""

import uuid
from collections.abc import Callable
from typing import TypeVar

from rich.text import Text

from orchestrator.client.answers import read
from orchestrator.client.printing import show, show_json

T = TypeVar("T")


def shown(body: bytes, as_json: bool, kind: type[T], sentence: Callable[[T], str]) -> None:  # noqa: FBT001
    if as_json:
        show_json(body)
    else:
        show(Text(sentence(read(kind, body))))


def once() -> dict[str, str]:
    """A proxy that repeats a request does nothing twice."""
    return {"Idempotency-Key": uuid.uuid4().hex}
