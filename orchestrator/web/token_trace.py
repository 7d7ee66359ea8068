"""The trace that begins with a request for a token, or in which its caller has asked for one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class MintedToken(Protocol):
    """The span of one request for a token."""

    @property
    def traceparent(self) -> str:
        """What the room's session is given to stand under."""
        ...

    def is_for(self, room: str, sid: str) -> None:
        """Tell which room it was minted for."""
        ...


Tracing = Callable[[str | None], AbstractContextManager[MintedToken | None]]
"""The caller's traceparent in, if any; a span that is open for as long as the context is. None without traces."""
