"""A SpanSink that keeps what it is given."""

from orchestrator.observability.spans import Span, SpanContext


class KeptSpans:
    """Samples everything, but for what its caller does not, unless told otherwise."""

    def __init__(self, *, sampling: bool = True) -> None:
        self.spans: list[Span] = []
        self.closed = False
        self._sampling = sampling

    def samples(self, trace_id: int, parent: SpanContext | None) -> bool:
        return parent.sampled if parent is not None else self._sampling

    def put(self, span: Span) -> None:
        self.spans.append(span)

    async def close(self) -> None:
        self.closed = True

    def named(self, name: str) -> Span:
        """The only one of this name."""
        (span,) = [span for span in self.spans if span.name == name]
        return span

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.spans]
