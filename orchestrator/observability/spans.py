"""Spans as this service has them, before any library writes them to the wire; and the W3C's way to name one."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from orchestrator.observability.steps import Moment, Path

_TRACEPARENT: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")

_SAMPLED: Final = 1


@dataclass(frozen=True, slots=True)
class SpanContext:
    """Which span, of which trace, and whether anybody writes it down."""

    trace_id: int
    span_id: int
    sampled: bool

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.sampled):02x}"

    @classmethod
    def read(cls, traceparent: str) -> "SpanContext | None":
        """None for what is no traceparent: a caller's header may say anything."""
        read = _TRACEPARENT.fullmatch(traceparent)
        if read is None:
            return None
        trace_id, span_id, flags = (int(part, 16) for part in read.groups())
        return cls(trace_id, span_id, sampled=bool(flags & _SAMPLED))


@dataclass(frozen=True, slots=True)
class Span:
    """One finished step of a trace. Times are Unix seconds."""

    context: SpanContext
    parent: SpanContext | None
    name: str
    begun_at: float
    ended_at: float
    attributes: Mapping[str, str | int | bool] = field(default_factory=dict)
    error: str | None = None
    moments: tuple[Moment, ...] = ()


class SpanSink(Protocol):
    """Where spans go. Nothing here waits, whatever becomes of them."""

    def samples(self, trace_id: int, parent: SpanContext | None) -> bool:
        """Whether this trace is written down; the same at every call, and on every replica."""
        ...

    def put(self, span: Span) -> None: ...

    async def close(self) -> None:
        """Send what waits, for so long as one may wait for it."""
        ...


def trace_id_of(sid: str) -> int:
    """The same on every replica."""
    return _number("trace", sid, 16)


def span_id_of(sid: str, path: Path) -> int:
    return _number("span", "\0".join((sid, *path)), 8)


def _number(kind: str, name: str, size: int) -> int:
    digest = hashlib.sha256(f"rollcall {kind} {name}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:size], "big") or 1
